"""/api/prices/analyze: whether prices rise, fall or stay."""

from shared.edge import Request, endpoint
from shared.prices.schemas import AnalyzeAnswer, AnalyzeRequest

prices_analyze = endpoint(__name__, "/api/prices/analyze", memory_mb=512, concurrency=4)


@prices_analyze.post(role="admin")
def analyze(request: Request[AnalyzeRequest]) -> AnalyzeAnswer:
    """The trend of each product, and what it rests on."""
    from shared.prices import analysis

    return analysis.analyze(request.body)
