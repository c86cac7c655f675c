"""The metrics of several replicas as one answer."""

from prometheus_client.parser import text_string_to_metric_families

from service.pipeline.metrics import Metrics
from service.server.prometheus import merged


def test_every_series_of_every_replica_is_there_once_with_its_name() -> None:
    expositions = {}
    for number, replica in enumerate(("a", "b"), 1):
        metrics = Metrics()
        metrics.requests.labels("/decode", "POST", "200").inc(number)
        metrics.request_seconds.labels("/decode").observe(number)
        metrics.ready.set(1)
        expositions[replica] = metrics.render()
    text = merged(expositions).decode()
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    key = (("method", "POST"), ("replica", "b"), ("route", "/decode"), ("status", "200"))
    assert values["qrsr_requests_total", *key] == 2.0
    assert values["qrsr_request_seconds_bucket", ("le", "1.0"), ("replica", "a"), ("route", "/decode")] == 1.0
    assert values["qrsr_request_seconds_bucket", ("le", "1.0"), ("replica", "b"), ("route", "/decode")] == 0.0
    assert values["qrsr_request_seconds_sum", ("replica", "b"), ("route", "/decode")] == 2.0
    # Nothing is lost: each replica's own series are as many as it told.
    for replica, told in expositions.items():
        own = sum(len(family.samples) for family in text_string_to_metric_families(told.decode()))
        assert own == sum(("replica", replica) in name for name in values)
