"""The watch: trouble found in the stream of transactions before the customer complains (issue 6, docs/mechanisms/watch.md).

The kernel (``advance``) is pure: numpy in, numpy out, no file, no database, no Django; only ``words`` speaks to people.

    plan = compile_plan(processes().values())
    model = learn(plan, history, now)
    state, findings, counters = advance(new_state(plan), batch, model, now, plan)
"""
