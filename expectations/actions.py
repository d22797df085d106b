"""What follows a validation. Importing this module imports Great Expectations."""

from typing import Any, Literal

from expectations.quiet import ValidationAction
from expectations.results import checks_of

EVENT = "tradewind.validation.failed"
RESOURCE = "tradewind.books.validation"


class EmitFailure(ValidationAction):
    """Tells Prefect when an expectation does not hold; automations alert from there."""

    type: Literal["tradewind_emit_failure"] = "tradewind_emit_failure"
    run_name: str

    def run(self, checkpoint_result: Any, action_context: Any = None) -> dict[str, Any]:
        failed = [check for check in checks_of(checkpoint_result) if not check.success]
        if not failed:
            return {"emitted": False}
        from prefect.events import emit_event

        emit_event(
            event=EVENT,
            resource={"prefect.resource.id": RESOURCE, "prefect.resource.name": "validation of the books"},
            payload={
                "run": self.run_name,
                "failed": [
                    {
                        "suite": check.suite,
                        "rule": check.rule,
                        "says": check.says,
                        "failed": check.failed,
                        "rows": check.rows_in_words()[:5],
                        "advice": check.advice,
                        "error": check.error,
                    }
                    for check in failed
                ],
            },
        )
        return {"emitted": True}
