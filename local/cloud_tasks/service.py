"""The calls of google.cloud.tasks.v2.CloudTasks, answered from memory."""

import asyncio
import math
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from google.cloud import tasks_v2
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.cloud_tasks.dispatch import Accidents, Dispatcher, Entry
from local.cloud_tasks.rules import completed_queue, completed_retry, completed_task
from local.delivery import Sender
from local.oidc import Issuer
from local.rpc import RpcServer, already_exists, failed_precondition, merged, not_found, page

_DAY_SECONDS = 86_400


class CloudTasks:
    """A Cloud Tasks server on the running event loop; everything is lost when it stops.

    The defaults are Google's. Tests shorten them: how long the name of a finished task stays
    taken, how long that of a deleted queue does, and the shortest deadline that a task may have.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        task_name_memory_seconds: float = 3600,
        queue_name_memory_seconds: float = 7 * _DAY_SECONDS,
        shortest_deadline_seconds: float = 15,
    ) -> None:
        self._issuer = issuer
        self._task_name_memory_seconds = task_name_memory_seconds
        self._queue_name_memory_seconds = queue_name_memory_seconds
        self._shortest_deadline = timedelta(seconds=shortest_deadline_seconds)
        self._queues: dict[str, Dispatcher] = {}
        self._deleted_queues: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._rpc = RpcServer(
            "google.cloud.tasks.v2.CloudTasks",
            (
                self.list_queues,
                self.get_queue,
                self.create_queue,
                self.update_queue,
                self.delete_queue,
                self.purge_queue,
                self.pause_queue,
                self.resume_queue,
                self.list_tasks,
                self.get_task,
                self.create_task,
                self.delete_task,
                self.run_task,
            ),
        )

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 and return the port; raises RuntimeError if it is taken."""
        self._sender = Sender(self._issuer)
        return await self._rpc.start(port)

    async def stop(self) -> None:
        """Stop listening and break off what is in flight."""
        await self._rpc.stop()
        for dispatcher in self._queues.values():
            await dispatcher.stop()
        await self._sender.close()

    async def idle(self, horizon_seconds: float = math.inf) -> None:
        """Wait until nothing is in flight or due within the horizon; paused queues do not count."""
        while any(queue.busy(horizon_seconds) for queue in self._queues.values()):
            self._changed.clear()
            await self._changed.wait()

    def status(self) -> dict[str, list[dict[str, object]]]:
        """Each queue with its state, its pending tasks and what it has done."""
        return {
            "queues": [
                {
                    "name": name.rpartition("/")[2],
                    "state": tasks_v2.Queue.State(queue.queue.state).name,
                    "pending": len(queue.entries),
                    "running": queue.running,
                    **asdict(queue.counts),
                }
                for name, queue in sorted(self._queues.items())
            ]
        }

    def routes(self) -> list[Route]:
        """`GET /tasks`, the status as JSON; `PUT /tasks/{queue}`, the accidents of a queue."""
        return [
            Route("/tasks", self._show),
            Route("/tasks/{queue}", self._disturb, methods=["PUT"]),
        ]

    def disturb(self, queue: str, accidents: Accidents) -> bool:
        """Have a queue's tasks come as `accidents` say; False where there is no such queue."""
        found = [each for name, each in self._queues.items() if name.endswith(f"/{queue}")]
        for each in found:
            each.disturb(accidents)
        return bool(found)

    async def _disturb(self, request: Request) -> JSONResponse:
        accidents = Accidents(**await request.json())
        if not self.disturb(request.path_params["queue"], accidents):
            return JSONResponse({"error": "There is no such queue."}, 404)
        return JSONResponse(asdict(accidents))

    async def _show(self, _: Request) -> JSONResponse:
        return JSONResponse(self.status())

    def list_queues(self, request: tasks_v2.ListQueuesRequest) -> tasks_v2.ListQueuesResponse:
        """The queues of a location, by name."""
        found = sorted(name for name in self._queues if name.startswith(f"{request.parent}/"))
        names, token = page(found, request.page_size, request.page_token)
        return tasks_v2.ListQueuesResponse(
            queues=[self._queues[name].queue for name in names], next_page_token=token
        )

    def get_queue(self, request: tasks_v2.GetQueueRequest) -> tasks_v2.Queue:
        """One queue."""
        return self._queue(request.name).queue

    def create_queue(self, request: tasks_v2.CreateQueueRequest) -> tasks_v2.Queue:
        """A new queue, running."""
        name = request.queue.name
        if name in self._queues:
            raise already_exists("Queue already exists")
        if self._deleted_queues.get(name, 0) > time.monotonic():
            raise failed_precondition(
                "The queue cannot be created because a queue with this name existed too recently."
            )
        request.queue.state = tasks_v2.Queue.State(tasks_v2.Queue.State.RUNNING)
        queue = completed_queue(request.queue)
        self._queues[name] = Dispatcher(
            queue, self._sender, self._task_name_memory_seconds, self._changed
        )
        return queue

    def update_queue(self, request: tasks_v2.UpdateQueueRequest) -> tasks_v2.Queue:
        """The changed queue; the call makes the queue where there is none, as Google's does."""
        if request.queue.name not in self._queues:
            return self.create_queue(tasks_v2.CreateQueueRequest(queue=request.queue))
        dispatcher = self._queue(request.queue.name)
        known = dispatcher.queue
        queue = merged(tasks_v2.Queue, known, request.queue, request.update_mask)
        queue.state, queue.purge_time = known.state, known.purge_time
        dispatcher.configure(completed_queue(queue))
        return dispatcher.queue

    def delete_queue(self, request: tasks_v2.DeleteQueueRequest) -> None:
        """Removes a queue with its tasks; its name stays unusable for days."""
        dispatcher = self._queue(request.name)
        dispatcher.purge()
        del self._queues[request.name]
        self._deleted_queues[request.name] = time.monotonic() + self._queue_name_memory_seconds
        dispatcher.cancel()

    def purge_queue(self, request: tasks_v2.PurgeQueueRequest) -> tasks_v2.Queue:
        """The queue without its tasks."""
        dispatcher = self._queue(request.name)
        dispatcher.purge()
        dispatcher.queue.purge_time = datetime.now(UTC)
        return dispatcher.queue

    def pause_queue(self, request: tasks_v2.PauseQueueRequest) -> tasks_v2.Queue:
        """The queue, which keeps its tasks to itself from now on."""
        return self._set_state(request.name, tasks_v2.Queue.State.PAUSED)

    def resume_queue(self, request: tasks_v2.ResumeQueueRequest) -> tasks_v2.Queue:
        """The queue, which sends its tasks again."""
        return self._set_state(request.name, tasks_v2.Queue.State.RUNNING)

    def list_tasks(self, request: tasks_v2.ListTasksRequest) -> tasks_v2.ListTasksResponse:
        """The tasks of a queue that are neither done nor given up."""
        entries = list(self._queue(request.parent).entries.values())
        shown, token = page(entries, request.page_size, request.page_token)
        return tasks_v2.ListTasksResponse(
            tasks=[_view(entry.task, request.response_view) for entry in shown],
            next_page_token=token,
        )

    def get_task(self, request: tasks_v2.GetTaskRequest) -> tasks_v2.Task:
        """One task that is neither done nor given up."""
        return _view(self._task(request.name)[1].task, request.response_view)

    def create_task(self, request: tasks_v2.CreateTaskRequest) -> tasks_v2.Task:
        """A new task, unless its name is taken or was until a while ago."""
        dispatcher = self._queue(request.parent)
        task = completed_task(request.task, request.parent, self._shortest_deadline)
        if "retry_config" in task:
            task.retry_config = completed_retry(task.retry_config)
        if dispatcher.knows(task.name):
            raise already_exists(
                "The task cannot be created because a task with this name existed too recently."
            )
        return _view(dispatcher.add(task).task, request.response_view)

    def delete_task(self, request: tasks_v2.DeleteTaskRequest) -> None:
        """Removes a task that is neither done nor given up."""
        dispatcher, _ = self._task(request.name)
        dispatcher.remove(request.name)

    def run_task(self, request: tasks_v2.RunTaskRequest) -> tasks_v2.Task:
        """The task, sent at once, even from a paused queue and beyond its rate."""
        dispatcher, entry = self._task(request.name)
        dispatcher.run_now(entry)
        return _view(entry.task, request.response_view)

    def _queue(self, name: str) -> Dispatcher:
        try:
            return self._queues[name]
        except KeyError:
            raise not_found("Queue does not exist.") from None

    def _task(self, name: str) -> tuple[Dispatcher, Entry]:
        dispatcher = self._queue(name.partition("/tasks/")[0])
        try:
            return dispatcher, dispatcher.entries[name]
        except KeyError:
            raise not_found("The task no longer exists.") from None

    def _set_state(self, name: str, state: int) -> tasks_v2.Queue:
        dispatcher = self._queue(name)
        dispatcher.queue.state = tasks_v2.Queue.State(state)
        dispatcher.configure(dispatcher.queue)
        return dispatcher.queue


def _view(task: tasks_v2.Task, view: int) -> tasks_v2.Task:
    shown = tasks_v2.Task(task)
    shown.view = tasks_v2.Task.View(view or tasks_v2.Task.View.BASIC)
    if shown.view == tasks_v2.Task.View.BASIC:
        shown.http_request.body = b""
    return shown
