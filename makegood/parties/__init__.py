"""Outside parties: carriers, warehouses, payment providers, finance; what was asked of them, and what they answered."""
