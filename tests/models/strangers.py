"""What OpenAI's own client makes of the models that stand in; as JSON."""

import io
import json
import math
import sys

import openai


def client(strict=True, **settings):
    # Answers that are not of the API's types are errors.
    return openai.OpenAI(max_retries=0, _strict_response_validation=strict, **settings)


def file(name="talk.wav"):
    with open(name, "rb") as opened:
        return (name, opened.read())


def transcribe():
    api = client().audio.transcriptions
    verbose = api.create(
        model="whisper-1", file=file(), response_format="verbose_json",
        timestamp_granularities=["segment"], language="en",
    )
    plain = api.create(model="gpt-4o-transcribe", file=file(), response_format="json")
    told = {
        "verbose": {
            "text": verbose.text, "language": verbose.language, "duration": verbose.duration,
            "seconds": verbose.usage.seconds,
            "segments": [[own.start, own.end, own.text] for own in verbose.segments],
        },
        "json": {"text": plain.text, "tokens": plain.usage.type},
    }
    for format in ("text", "srt", "vtt"):
        told[format] = api.create(model="whisper-1", file=file(), response_format=format)
    return told


def question(data="frame.jpg", kind="jpeg", **more):
    import base64

    picture = base64.b64encode(file(data)[1]).decode()
    return {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url",
             "image_url": {"url": f"data:image/{kind};base64,{picture}", "detail": "low"}},
        ]}],
        **more,
    }


def see():
    chat = client().chat.completions
    said = chat.create(**question())
    cut = chat.create(**question(max_completion_tokens=2)).choices[0]
    usage = said.usage
    return {
        "text": said.choices[0].message.content, "reason": said.choices[0].finish_reason,
        "refusal": said.choices[0].message.refusal,
        "adds_up": usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0,
        "cut": [cut.message.content, cut.finish_reason],
    }


def decline():
    chat = client().chat.completions
    choices = [chat.create(**question()).choices[0] for _ in range(2)]
    return [[own.message.content, own.message.refusal, own.finish_reason] for own in choices]


def embed():
    # By default it asks for base64, which it decodes only after it has looked at types.
    api = client(strict=False).embeddings
    model = "text-embedding-3-small"
    texts = ["red dog", "Dog"]
    done = api.create(model=model, input=texts)
    floats = client().embeddings.create(model=model, input=texts, encoding_format="float")
    first, second = (own.embedding for own in done.data)
    other = api.create(model=model, input="interest rates").data[0].embedding
    product = lambda one, two: sum(a * b for a, b in zip(one, two))
    same = all(
        math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-7)
        for one, two in zip(done.data, floats.data)
        for a, b in zip(one.embedding, two.embedding)
    )
    return {
        "lengths": [len(first), len(second)],
        "short": len(api.create(model=model, input="a", dimensions=64).data[0].embedding),
        "indices": [own.index for own in done.data],
        "tokens": [done.usage.prompt_tokens, done.usage.total_tokens],
        "same": same, "norm": round(product(first, first), 4),
        "near": product(first, second) > product(first, other) + 0.3,
        "models": model in [own.id for own in client().models.list()],
    }


def errors():
    told, ids = {}, []
    api = client()

    def fails(name, call):
        try:
            call()
        except openai.APIError as error:
            status = getattr(error, "status_code", None)
            told[name] = [type(error).__name__, status, error.code, error.type, error.param]
            if status is not None:
                ids.append(error.request_id)
            return error
        told[name] = "no error"

    for name in ("quota", "server", "overloaded", "cut"):
        fails(name, lambda: list(api.models.list()))
    hear, see, compare = api.audio.transcriptions, api.chat.completions, api.embeddings
    small = "text-embedding-3-small"
    fails("model", lambda: compare.create(model="gpt-9", input="a"))
    wrong = client(api_key="sk-proj-wrong-0123456789ABC7")
    starred = fails("key", lambda: wrong.embeddings.create(model=small, input="a"))
    fails("format", lambda: hear.create(
        model="gpt-4o-transcribe", file=file(), response_format="verbose_json"))
    fails("sound", lambda: hear.create(model="whisper-1", file=("talk.aac", b"x")))
    fails("long", lambda: compare.create(model=small, input="word " * 8193))
    fails("much", lambda: compare.create(model=small, input=["word " * 8000] * 38))
    fails("blank", lambda: compare.create(model=small, input=["a", ""]))
    fails("picture", lambda: see.create(**question("talk.wav", "png")))
    fails("limit", lambda: see.create(**question(max_tokens=9) | {"model": "gpt-5-mini"}))
    fails("large", lambda: hear.create(
        model="whisper-1", file=("talk.mp3", io.BytesIO(bytes(27 << 20)))))
    told["ids"] = all(own and own.startswith("req_") for own in ids) and len(ids) == len(set(ids))
    told["starred"] = "sk-proj-****" in str(starred) and "0123456789" not in str(starred)
    return told


def limits():
    told = {"done": 0}
    hasty, patient = client(strict=False), client(strict=False).with_options(max_retries=10)
    try:
        for _ in range(200):
            hasty.embeddings.create(model="text-embedding-3-small", input="a")
    except openai.RateLimitError as error:
        told["refused"] = [type(error).__name__, error.status_code, error.code]
        told["headers"] = dict(error.response.headers)
    for _ in range(6):
        patient.embeddings.create(model="text-embedding-3-small", input="a")
        told["done"] += 1
    return told


print(json.dumps({
    "transcribe": transcribe, "see": see, "decline": decline, "embed": embed, "errors": errors,
    "limits": limits,
}[sys.argv[1]]()))
