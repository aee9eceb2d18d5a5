"""A firm with workflows: made, run as the queue would, and looked at."""

import contextlib

import pytest
from sqlalchemy import select, text

from kehu.core import hooks
from kehu.flows import tasks
from kehu.flows.models import FlowRun
from kehu.flows.services import FlowService

JOBS = {
    "flows.start": tasks.start,
    "flows.look_one": tasks.look_one,
    "flows.run": tasks.run,
}


class Desk:
    """What tests do with a firm's workflows."""

    def __init__(self, shop):
        self.shop, self.ran = shop, set()

    def renew(self):
        with self.shop.work():
            self.shop.tenant = hooks.tenant_by_id(self.shop.tenant.id)

    def flow(self, *steps, actor=None, **values):
        given = {
            "name": "Flow",
            "object": "deals",
            "trigger": "created",
            "active": True,
            "steps": list(steps) or [{"do": "task", "text": "Call about {name}", "days": 2}],
            **values,
        }
        with self.shop.work(actor) as session:
            made = FlowService(session).create(given).id
        self.renew()
        return made

    def jobs(self, task):
        statement = text(
            "SELECT id, args FROM procrastinate_jobs WHERE task_name = :task AND args->>'tenant_id' = :id "
            "AND (scheduled_at IS NULL OR scheduled_at <= now()) ORDER BY id"
        )
        with self.shop.work() as session:
            rows = session.execute(statement, {"task": task, "id": str(self.shop.tenant.id)}).all()
        return [row for row in rows if row.id not in self.ran]

    def work(self, twice=True):
        """Run all that is queued, and what it queues; each job twice, as a queue may."""
        for _round in range(30):
            waiting = [(job, function) for task, function in JOBS.items() for job in self.jobs(task)]
            if not waiting:
                return
            for job, function in waiting:
                self.ran.add(job.id)
                for _turn in range(2 if twice else 1):
                    function(**job.args)
        raise AssertionError("the queue never ends")

    def morning(self):
        tasks.look(tenant_id=str(self.shop.tenant.id))
        self.work()

    def runs(self, flow=None, **wanted):
        statement = select(FlowRun).order_by(FlowRun.created_at, FlowRun.id)
        if flow is not None:
            statement = statement.where(FlowRun.flow_id == flow)
        for key, value in wanted.items():
            statement = statement.where(getattr(FlowRun, key) == value)
        with self.shop.work() as session:
            return list(session.execute(statement).scalars())

    def make(self, object_name, actor=None, **values):
        from kehu.core.records.service import service_for

        with self.shop.work(actor) as session:
            return service_for(object_name, session).create(values).id

    def change(self, object_name, record_id, actor=None, **values):
        from kehu.core.records.service import service_for

        with self.shop.work(actor) as session:
            service_for(object_name, session).update(record_id, values)

    def read(self, object_name, record_id):
        from kehu.core.records.service import service_for

        with self.shop.work() as session, contextlib.suppress(KeyError):
            return service_for(object_name, session).get(record_id)


@pytest.fixture
def desk(shop):
    return Desk(shop)
