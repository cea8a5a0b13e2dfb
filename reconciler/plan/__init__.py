"""Deciding, pure: no clock, no network, no file. Time comes in as `now`, the members' words as `Answer`s.

The order in which things are read: `questions` (what to ask which member) → `decide` (what the records become) →
`runs` (the state machine of one run) with `backups` and `restores` (what each kind waits for) → `records_of`
(what a record says of its runs) → `actions` (what the committed records then ask of the members).
"""
