"""What makes it good, carried out once: the menu (pure), the plan, the ledger of what was asked of a shop, budgets, proof."""
