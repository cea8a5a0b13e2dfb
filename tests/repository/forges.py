"""With what words the forges refuse, each with its cause, for `test_rejections`."""

from __future__ import annotations

from typing import Final

from reconciler.errors import Cause

HOOK: Final = " ! [remote rejected] main -> main (pre-receive hook declined)"
REMOTE: Final = "fatal: Could not read from remote repository."
"""What git says after them, of a push and over ssh."""

FORGES: Final = [
    # GitHub
    ("remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
     " ! [remote rejected] main -> main (protected branch hook declined)", Cause.PROTECTED),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
     " ! [remote rejected] main -> main (push declined due to repository rule violations)", Cause.PROTECTED),
    ("remote: error: GH003: Sorry, force-pushing to main is not allowed.", Cause.PROTECTED),
    ("remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
     "remote: error: Commits must have verified signatures.", Cause.HOOK),
    ("remote: error: GH007: Your push would publish a private email address.", Cause.HOOK),
    ("remote: error: GH009: Secrets detected! This push failed.", Cause.HOOK),
    ("remote: error: GH001: Large files detected.", Cause.HOOK),
    ("remote: Permission to o/r.git denied to bot.\nfatal: unable to access 'https://github.com/o/r.git/':"
     " The requested URL returned error: 403", Cause.PERMISSION),
    ("ERROR: Permission to o/r.git denied to deploy key\n" + REMOTE, Cause.PERMISSION),
    ("ERROR: The key you are authenticating with has been marked as read only.\n" + REMOTE, Cause.PERMISSION),
    ("remote: Write access to repository not granted.", Cause.PERMISSION),
    ("remote: Repository not found.\nfatal: repository 'https://github.com/o/r.git/' not found", Cause.PERMISSION),
    ("remote: Invalid username or token. Password authentication is not supported for Git operations.",
     Cause.PERMISSION),
    ("remote: The `o' organization has enabled or enforced SAML SSO.", Cause.PERMISSION),
    ("remote: This repository was archived so it is read-only.", Cause.PERMISSION),
    ("remote: error: GH008: Your push referenced at least 1 unknown Git LFS object:", Cause.HOOK),
    ("remote: error: GH042: The answer.", Cause.HOOK),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
     "remote: - Push cannot contain secrets", Cause.HOOK),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
     "remote: - Commit author email must match the pattern @example.org", Cause.HOOK),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
     "remote: - Committer email must match the pattern @example.org", Cause.HOOK),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
     "remote: - Changes must be made through a pull request.", Cause.PROTECTED),
    (" ! [remote rejected] main -> main (refusing to allow a GitHub App to create or update workflow `x.yml` without"
     " `workflows` permission)", Cause.PERMISSION),
    ("remote: Resource not accessible by integration", Cause.PERMISSION),
    ("remote: Your account is suspended. Please visit https://support.github.com", Cause.PERMISSION),
    ("remote: The `o' organization has an IP allow list enabled, and your IP address is not permitted to access it.",
     Cause.PERMISSION),
    ("ERROR: You're using an RSA key with SHA-1, which is no longer allowed.\n" + REMOTE, Cause.PERMISSION),
    ("remote: fatal error in commit_refs\n ! [remote rejected] main -> main (failure)", Cause.NETWORK),
    ("remote: Internal Server Error\n ! [remote rejected] main -> main (Internal Server Error)", Cause.NETWORK),
    # GitLab
    ("remote: GitLab: You are not allowed to push code to protected branches on this project.\n" + HOOK,
     Cause.PROTECTED),
    ("remote: GitLab: You are not allowed to force push code to a protected branch on this project.\n" + HOOK,
     Cause.PROTECTED),
    ("remote: GitLab: You are not allowed to push code to this project.", Cause.PERMISSION),
    ("remote: You are not allowed to upload code.", Cause.PERMISSION),
    ("remote: HTTP Basic: Access denied. The provided password or token is incorrect", Cause.PERMISSION),
    ("remote: The project you were looking for could not be found or you don't have permission to view it.",
     Cause.PERMISSION),
    ("remote: GitLab: Committer's email 'r@localhost' does not follow the pattern '@example'\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Author's email 'r@localhost' does not follow the pattern '@example'\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: You cannot push commits for 'r@x'. It is not verified in your account.\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Commit message does not follow the pattern 'JIRA-'\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Author 'r' is not a member of team\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Commit must be signed with a GPG key\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: the wind has changed\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: You cannot push commits for 'r@x'. You can only push commits if the committer email is one of"
     " your own verified emails.\n" + HOOK, Cause.HOOK),
    ("remote: PUSH BLOCKED: Secrets detected in code changes\n" + HOOK, Cause.HOOK),
    ("remote: This deploy key does not have write access to this project.\n" + REMOTE, Cause.PERMISSION),
    ("remote: You are not allowed to download code from this project.", Cause.PERMISSION),
    ("remote: A repository for this project does not exist yet.", Cause.PERMISSION),
    ("remote: You can't push code to an archived project.", Cause.PERMISSION),
    ("remote: Pushing over HTTP is not allowed.", Cause.PERMISSION),
    ("remote: Your SSH key has expired.\n" + REMOTE, Cause.PERMISSION),
    ("remote: Your account has been blocked.", Cause.PERMISSION),
    ("remote: Your password expired. Please access GitLab from a web browser to update your password.",
     Cause.PERMISSION),
    ("remote: Your primary email address is not confirmed.", Cause.PERMISSION),
    ("remote: The repository is temporarily read-only. Please try again later.", Cause.NETWORK),
    ("remote: Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode.",
     Cause.NETWORK),
    ("remote: GitLab: Failed to authorize your Git request: internal API unreachable\n" + HOOK, Cause.NETWORK),
    ("remote: GitLab: Push operation timed out\n" + HOOK, Cause.NETWORK),
    ("remote: GitLab: Your push has been rejected, because this repository has exceeded its size limit of 10 MB",
     Cause.DISK),
    ("remote: GitLab: Your push to this repository would cause it to exceed the size limit of 10 MiB", Cause.DISK),
    ("remote: GitLab: Your push has been rejected because it would exceed storage limits.", Cause.DISK),
    ("remote: GitLab: You can't push code to a read-only GitLab instance.", Cause.NETWORK),
    ("remote: GitLab: Your push would cause the repository to exceed the allocated storage", Cause.DISK),
    # Gitea, Forgejo
    ("remote: Gitea: Not allowed to push to protected branch main\n" + HOOK, Cause.PROTECTED),
    ("remote: Gitea: branch main is protected from force push\n" + HOOK, Cause.PROTECTED),
    ("remote: Forgejo: Not allowed to push to protected branch main\n" + HOOK, Cause.PROTECTED),
    ("remote: Gitea: User permission denied for writing.\n" + HOOK, Cause.PERMISSION),
    ("remote: Gitea: Branch main is protected from unverified commit 0123\n" + HOOK, Cause.HOOK),
    ("remote: Forgejo: Branch main is protected from changing file status/ledger.yaml\n" + HOOK, Cause.PROTECTED),
    ("Gitea: Deploy Key: 5:bot is not authorized to write to o/r.\n" + REMOTE, Cause.PERMISSION),
    ("Forgejo: User: 2:bot with Key: 5:bot is not authorized to read o/r.\n" + REMOTE, Cause.PERMISSION),
    ("Gitea: Cannot find repository: o/r\n" + REMOTE, Cause.PERMISSION),
    ("Gitea: Repo: o/r is archived.\n" + REMOTE, Cause.PERMISSION),
    ("Forgejo: Mirror Repository o/r is read-only\n" + REMOTE, Cause.PERMISSION),
    ("remote: Forgejo: Quota exceeded\n" + HOOK, Cause.DISK),
    # Bitbucket
    ("remote: Permission denied to update branch main.\n" + HOOK, Cause.PROTECTED),
    ("remote: Branch refs/heads/main can only be modified through pull requests.\n" + HOOK, Cause.PROTECTED),
    ("remote: Your push was declined by branch restrictions.\n" + HOOK, Cause.PROTECTED),
    ("remote: You may not have access to this repository or it no longer exists in this workspace.", Cause.PERMISSION),
    ("repository access denied. access via a deployment key is read-only.\n" + REMOTE, Cause.PERMISSION),
    ("remote: Your repository is over its size limit.\n" + HOOK, Cause.DISK),
    ("remote: Permission denied to create branch records.\n" + HOOK, Cause.PROTECTED),
    ("remote: Branch refs/heads/main cannot be modified.\n"
     "remote: Check your branch permissions configuration with the project administrator.\n" + HOOK, Cause.PROTECTED),
    ("remote: You can only push your own commits in this repository\n" + HOOK, Cause.HOOK),
    ("remote: Invalid credentials", Cause.PERMISSION),
    ("remote: Your credentials lack one or more required privilege scopes.", Cause.PERMISSION),
    ("conq: repository does not exist.\n" + REMOTE, Cause.PERMISSION),
    ("remote: This repository is in read only mode. You will not be able to push new changes.", Cause.PERMISSION),
    ("remote: [ALERT] account 'x' has exceeded its user limit and this repository is restricted to read-only access",
     Cause.PERMISSION),
    ("remote: Bitbucket is currently under heavy load and is not able to service your request.", Cause.NETWORK),
    # Gerrit, gitolite
    (" ! [remote rejected] main -> main (prohibited by Gerrit: not permitted: update)", Cause.PROTECTED),
    (" ! [remote rejected] main -> main (prohibited by Gerrit: project state does not permit write)", Cause.PERMISSION),
    ("remote: error: commit 0123: email address r@x does not match your user account", Cause.HOOK),
    ("remote: ERROR: commit 0123: missing Change-Id in message footer", Cause.HOOK),
    ("FATAL: W any fleet r DENIED by fallthru\n" + REMOTE, Cause.PERMISSION),
    ("FATAL: R any fleet r DENIED by fallthru\n" + REMOTE, Cause.PERMISSION),
    # Azure DevOps
    (" ! [remote rejected] HEAD -> main (TF402455: Pushes to this branch are not permitted; you must use a pull request"
     " to update this branch.)", Cause.PROTECTED),
    (" ! [remote rejected] main -> main (TF401028: The reference 'refs/heads/main' has already been updated by another"
     " client, so you cannot update it. Please try again.)", Cause.RACE),
    ("error: remote unpack failed: error VS403654: The push was rejected because it contains one or more secrets",
     Cause.HOOK),
    ("remote: TF400813: The user '' is not authorized to access this resource.", Cause.PERMISSION),
    ("remote: TF200016: The following project does not exist: x", Cause.PERMISSION),
    ("remote: TF401027: You need the Git 'GenericContribute' permission to perform this action.", Cause.PERMISSION),
    ("remote: TF401019: The Git repository with name or identifier x does not exist or you do not have permissions",
     Cause.PERMISSION),
]  # fmt: skip
