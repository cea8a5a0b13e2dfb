"""Real git servers on loopback: https by git's own http-backend, ssh by Debian's sshd."""
