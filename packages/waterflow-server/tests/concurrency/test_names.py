"""What a coordinator is called."""

from waterflow_server.concurrency import lock_workflow_id


class TestLockWorkflowId:
    def test_does_not_show_the_group(self):
        assert lock_workflow_id("deploy-prod") == "lock/bdbd0752f112f1849db6c01d273bb795"

    def test_upper_and_lower_case_are_the_same_group_as_on_github(self):
        assert lock_workflow_id("Deploy-PROD") == lock_workflow_id("deploy-prod")
