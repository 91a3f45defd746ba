"""What the house asks outside of it: one port (a Protocol) a kind of service, two kinds of error, and a circuit that rests."""
