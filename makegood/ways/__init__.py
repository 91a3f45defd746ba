"""The ways by which a person of the desk, or a team, hears of a notice outside the page, and what is on its way there."""
