"""Asks an OpenAI-compatible server with OpenTelemetry's stock SDK alone; prints the trace id of each request.

stock-client.py URL OTLP_TRACES_URL MODEL COUNT
"""

import json
import sys
import urllib.request

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

url, otlp, model, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
provider = TracerProvider(resource=Resource.create({"service.name": "stock-python"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp)))
tracer = provider.get_tracer("stock")

for index in range(count):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "vllm", "gen_ai.request.model": model}
    with tracer.start_as_current_span(f"chat {model}", kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
        headers = {"content-type": "application/json"}
        inject(headers)
        messages = [{"role": "user", "content": f"{index} return value"}]
        body = json.dumps({"model": model, "max_tokens": 8, "messages": messages}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            usage = json.load(response)["usage"]
        span.set_attribute("gen_ai.usage.input_tokens", usage["prompt_tokens"])
        span.set_attribute("gen_ai.usage.output_tokens", usage["completion_tokens"])
    print(format(span.get_span_context().trace_id, "032x"))
provider.shutdown()
