"""The tasks of the worker, and when they run by themselves. The queue is only a nudge (law 5): what is due stands in rows."""

from __future__ import annotations

import logging

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from makegood.conversations.outbox import nudge
from makegood.desk import events_in, incident_finding, receiving, remedy_nudge
from makegood.jobs import deliver as delivering
from makegood.jobs import events, helping, receive, remedies, upkeep

log = logging.getLogger("makegood.jobs")
DEAD_AFTER_SECONDS = 600


@app.periodic(cron="* * * * *")
@app.task(name="makegood.jobs.tasks.deliver", queueing_lock="deliver", pass_context=True)
def deliver(context: JobContext, timestamp: int = 0) -> int:
    """Send the letters that are due; each minute, and when a case is written to."""
    tried = delivering.send_due(stop=context.should_abort)
    if tried == delivering.BATCH:
        nudge()
    return tried


@app.periodic(cron="* * * * *")
@app.task(name="makegood.jobs.tasks.help_out", queueing_lock="help_out", lock="help_out", pass_context=True)
def help_out(context: JobContext, timestamp: int = 0) -> int:
    """Ask the optional helper what people asked of it; one such job at a time, so that letters keep their worker."""
    return helping.work(stop=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name=remedy_nudge.JOB, queueing_lock=remedy_nudge.LOCK, pass_context=True)
def carry_remedies(context: JobContext, timestamp: int = 0) -> int:
    """Ask the shops what is due, and look up what nobody knows; each minute, and when a remedy is carried out."""
    done = remedies.work(stop=context.should_abort)
    if done == remedies.BATCH:
        remedy_nudge.nudge()
    return done


@app.task(name=receiving.JOB, queueing_lock=receiving.LOCK, pass_context=True)
def read_letters(context: JobContext, timestamp: int = 0) -> int:
    """Read the letters that came in; each minute, and when one comes."""
    count = receive.read_due(stop=context.should_abort)
    if count == receive.BATCH:
        receiving.nudge()
    return count


@app.periodic(cron="* * * * *")
@app.task(name=events_in.APPLY, queueing_lock="apply_facts", pass_context=True)
def apply_facts(context: JobContext, timestamp: int = 0) -> int:
    """Apply what the stores told; each minute, and when something comes."""
    return events.apply_due(stop=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name=events_in.READ, queueing_lock="read_stores", pass_context=True)
def read_stores(context: JobContext, timestamp: int = 0) -> int:
    """Read at their stores what events nudged us to; in a job of its own, for it waits for other people's machines."""
    return events.read_due(stop=context.should_abort)


@app.periodic(cron="17 18 * * *")  # UTC: the small hours of Seoul and Beijing
@app.task(name="makegood.jobs.tasks.retrain", queueing_lock="retrain", lock="retrain")
def retrain(timestamp: int = 0) -> str:
    """Train the triage model on what people decided; seconds of work, so in a job of its own."""
    # Late: the model needs numpy and half a second, and a worker that only sends letters needs neither.
    from makegood.desk.suggesting import retrain as train

    made = train()
    log.info("triage model trained: %s", made or "kept the present one")
    return str(made)


@app.periodic(cron="*/10 * * * *")
@app.task(name="makegood.jobs.tasks.retrain_when_enough", queueing_lock="retrain_when_enough")
def retrain_when_enough(timestamp: int = 0) -> bool:
    """Train in the day too, once 25 new corrections have come."""
    if not upkeep.enough_to_learn("makegood.jobs.tasks.retrain"):
        return False
    retrain.configure().defer()
    return True


@app.periodic(cron="*/2 * * * *")
@app.task(name="makegood.jobs.tasks.find_incidents", queueing_lock="find_incidents", lock="find_incidents")
def find_incidents(timestamp: int = 0) -> int:
    """Suggest an incident where similar cases came in a short time; how many suggestions are new."""
    return len(incident_finding.look())


@app.periodic(cron="27 17 * * *")
@app.task(name="makegood.jobs.tasks.audit_urgency", queueing_lock="audit_urgency")
def audit_urgency(timestamp: int = 0) -> int:
    """Replay the events and report every case whose urgency fell in silence; how many there are."""
    return upkeep.audit_urgency()


@app.periodic(cron="57 17 * * *")  # UTC, as ``retrain``
@app.task(name="makegood.jobs.tasks.learn_watch", queueing_lock="learn_watch", lock="learn_watch")
def learn_watch(timestamp: int = 0) -> int:
    """Learn anew how long things take; how many events of the log it was learned from."""
    # Late: numpy, and the arrays of a whole log.
    from makegood.watch.relearn import learn_anew

    made = learn_anew()
    return made.facts if made else 0


@app.periodic(cron="43 17 * * *")
@app.task(name="makegood.jobs.tasks.clean_up", queueing_lock="clean_up")
def clean_up(timestamp: int = 0) -> dict[str, int]:
    """Take away what has had its day."""
    return upkeep.clean_up()


@app.periodic(cron="5 * * * *")
@app.task(name="makegood.jobs.tasks.sweep_queue", queueing_lock="sweep_queue", pass_context=True)
async def sweep_queue(context: JobContext, timestamp: int = 0) -> None:
    """Forget jobs that ended a week ago; call jobs of killed workers failed, so that their locks are free again."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        await jobs.finish_job(job, status=Status.FAILED, delete_job=False)
    hours = int(upkeep.JOBS.total_seconds() // 3600)
    await jobs.delete_old_jobs(
        nb_hours=hours, include_failed=True, include_cancelled=True, include_aborted=True
    )
