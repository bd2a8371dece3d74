"""scikit-learn's own checks of the room's estimators; fitted on one matrix, all is one task."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tlstat.task_diversity.few_shot import FewShotRegressor
from tlstat.task_diversity.representation import LinearRepresentation


@parametrize_with_checks(
    [
        LinearRepresentation(),
        LinearRepresentation(method="u-statistic", whiten=False),
        LinearRepresentation(method="moments", whiten=False, fit_intercept=False),
        LinearRepresentation(method="nuclear", tol=1e-4),
        FewShotRegressor(),
        FewShotRegressor(ridge="loo"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
