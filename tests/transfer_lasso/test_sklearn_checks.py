"""scikit-learn's own checks of every estimator of the room."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tlstat.transfer_lasso.adaptive import AdaptiveTransferLasso
from tlstat.transfer_lasso.cv import TransferLassoCV
from tlstat.transfer_lasso.estimators import TransferLasso
from tlstat.transfer_lasso.logistic_estimator import TransferLogisticRegression
from tlstat.transfer_lasso.trans_lasso import TransLasso


@parametrize_with_checks(
    [
        TransferLasso(),
        TransferLasso(0.1, 0.3, fit_intercept=False, ridge=0.1),
        TransferLassoCV(lams=10, cv=3),
        AdaptiveTransferLasso(),
        TransferLogisticRegression(),
        TransLasso(cv=3),
        TransLasso("oracle", constant=0.1),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
