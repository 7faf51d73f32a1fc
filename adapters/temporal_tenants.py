"""Refuses an input of one tenant in a workflow of another: at the caller, in the workflow, in the step."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from temporalio import activity, client, worker, workflow
from temporalio.exceptions import ApplicationError

from adapters.temporal_codec import tenant_of
from domain.errors import WrongTenant


def tenants_in(value: object) -> Iterable[UUID]:
    """Every `tenant_id` anywhere in a model or a sequence of models."""
    if isinstance(value, BaseModel):
        named = getattr(value, "tenant_id", None)
        if isinstance(named, UUID):
            yield named
        for field in type(value).model_fields:
            yield from tenants_in(getattr(value, field))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tenants_in(item)


def require_same_tenant(workflow_id: str, args: Sequence[Any]) -> None:
    """Raises `WrongTenant` if `args` name another tenant than the id does."""
    expected = tenant_of(workflow_id)
    if any(tenant != expected for tenant in tenants_in(args)):
        raise WrongTenant


def require_named_tenant(workflow_id: str, args: Sequence[Any]) -> None:
    """What a workflow is started with must name its tenant."""
    require_same_tenant(workflow_id, args)
    if not any(True for _ in tenants_in(args)):
        raise WrongTenant


class TenantGuard(client.Interceptor, worker.Interceptor):
    """One object for clients, workers and replayers."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Calls that start or reach workflows."""
        return _Calls(next)

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        """Steps."""
        return _Steps(next)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: ARG002 - Temporal's signature
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Runs, signals and updates."""
        return _Runs


class _Calls(client.OutboundInterceptor):
    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        require_named_tenant(input.id, input.args)
        require_same_tenant(input.id, input.start_signal_args)
        return await super().start_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:
        require_same_tenant(input.id, input.args)
        await super().signal_workflow(input)

    async def start_workflow_update(
        self, input: client.StartWorkflowUpdateInput
    ) -> client.WorkflowUpdateHandle[Any]:
        require_same_tenant(input.id, input.args)
        return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        require_named_tenant(start.id, start.args)
        require_same_tenant(start.id, input.update_workflow_input.args)
        return await super().start_update_with_start_workflow(input)


class _Steps(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        require_same_tenant(activity.info().workflow_id or "", input.args)
        return await super().execute_activity(input)


class _Runs(worker.WorkflowInboundInterceptor):
    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        try:
            require_named_tenant(workflow.info().workflow_id, input.args)
        except WrongTenant as error:
            raise _refused(error) from error  # ends the run: nothing in it belongs to this tenant
        return await super().execute_workflow(input)

    async def handle_signal(self, input: worker.HandleSignalInput) -> None:
        try:
            require_same_tenant(workflow.info().workflow_id, input.args)
        except WrongTenant:
            workflow.logger.warning("signal_dropped")  # raising would end the run of the right tenant
            return
        await super().handle_signal(input)

    def handle_update_validator(self, input: worker.HandleUpdateInput) -> None:
        self._require(input)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        self._require(input)  # an update without a validator comes here only
        return await super().handle_update_handler(input)

    def _require(self, input: worker.HandleUpdateInput) -> None:
        try:
            require_same_tenant(workflow.info().workflow_id, input.args)
        except WrongTenant as error:
            raise _refused(error) from error


def _refused(error: WrongTenant) -> ApplicationError:
    return ApplicationError(str(error), type="WrongTenant", non_retryable=True)
