"""PyPI's hikvision-openapi-signer, which knows nothing of this project.

post URL KEY SECRET PATH BODY: signs a request, sends it, prints what was answered.
sign KEY SECRET PATH HEADERS: prints the signature for these headers (JSON).
"""
import json
import sys
import urllib.error
import urllib.request

from hikvision_openapi_signer import HikvisionOpenAPISigner


def post(url, key, secret, path, body):
    signer = HikvisionOpenAPISigner(url, key, secret)
    method, url, headers, body = signer.sign(
        "POST", path.removeprefix("/artemis"), jsons=json.loads(body), accept="application/json"
    )
    request = urllib.request.Request(url, body.encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return {"status": answer.status, "answer": json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "answer": json.load(error)}


def sign(key, secret, path, headers):
    headers = {name.title(): value for name, value in json.loads(headers).items()}
    signer = HikvisionOpenAPISigner("https://nowhere", key, secret)
    signer._sign("POST", path.removeprefix("/artemis"), headers, None, None)
    return headers["X-Ca-Signature"]


print(json.dumps({"post": post, "sign": sign}[sys.argv[1]](*sys.argv[2:])))
