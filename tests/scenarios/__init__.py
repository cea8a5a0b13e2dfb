"""The main job as users do it: real git repositories, the real command, members that are read for themselves."""
