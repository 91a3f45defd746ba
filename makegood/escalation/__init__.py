"""How a case travels between people and teams: hops, bounces, hand-overs, the ladder, who is on duty."""
