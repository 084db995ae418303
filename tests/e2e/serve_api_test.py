"""The server's answers are those of `predict`; its protocol, description and metrics are as they should be."""

import gzip
import json
import pathlib
import re
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from serve_cases import CSV, JSON, MODEL, TRAINED, TSV, ServeCase, rows_of  # noqa: E402


class Predictions(ServeCase):
    def test_tables_come_back_as_predict_writes_them(self):
        rows = self.rows[:60] + [["CASSXF"] * len(self.rows[0]), self.rows[1][:4]]
        for separator, kind in ((",", CSV), ("\t", TSV)):
            path, text = self.table(rows, separator)
            answer = self.serving.post("/v1/predict", text, kind)
            self.assertEqual((answer.status, answer.headers["content-type"]), (200, kind))
            self.assertEqual(answer.text, self.predicted(path))

    def test_json_has_the_same_values(self):
        rows = self.rows[:40] + [["CASSXF"] * len(self.rows[0])]
        path, _ = self.table(rows)
        predicted = rows_of(self.predicted(path))
        sent = [dict(zip(rows[0], row)) for row in rows[1:]]
        answer = self.serving.post("/v1/predict", {"rows": sent}, **{"X-Request-Id": "mine-1"})
        document = answer.json(parse_float=str, parse_int=str)
        self.assertEqual((answer.status, document["schema"], document["request_id"]),
                         (200, "tcrops.predictions/1", "mine-1"))
        self.assertEqual([int(row["line"]) for row in document["rows"]], list(range(1, len(predicted) + 1)))
        for got, wanted in zip(document["rows"], predicted):
            for name in ("score", "probability", "percentile", "nearest_tcr", "nearest_epitope"):
                self.assertEqual(got[name] or "", wanted[name])
            self.assertEqual(got["problem"] or "", wanted["problem"])
            self.assertEqual(got["call"], {"1": True, "0": False, "": None}[wanted["call"]])
            self.assertEqual(";".join(got["flags"] or []), wanted["flags"])
        self.assertTrue(document["rows"][-1]["problem"])
        self.assertTrue(all(row["score"] for row in document["rows"][:-1]))

    def test_accept_chooses(self):
        _, text = self.table(self.rows[:3])
        sent = {"rows": [dict(zip(self.rows[0], self.rows[1]))]}
        self.assertEqual(self.serving.post("/v1/predict", text, CSV, Accept=JSON).json()["format"],
                         self.serving.post("/v1/predict", sent).json()["format"])
        self.assertIn("score,", self.serving.post("/v1/predict", sent, Accept="text/csv").text)
        self.error(self.serving.post("/v1/predict", sent, Accept="image/png"), 406, JSON)
        self.error(self.serving.post("/v1/predict", text, "image/png"), 415, "image/png")

    def test_a_form_with_a_file(self):
        path, text = self.table(self.rows[:9])
        form = ('--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
                f"{text}\r\n--x--\r\n")
        kind = "multipart/form-data; boundary=x"
        answer = self.serving.post("/v1/predict", form, kind, Accept=CSV)
        self.assertEqual((answer.status, answer.text), (200, self.predicted(path)))
        self.assertEqual(self.serving.post("/v1/predict", form, kind, Accept=JSON).json()["rows"][0]["line"], 2)
        for bad in (form.replace('"file"', '"table"'), "--x--\r\n", "nonsense", form[:-20]):
            self.error(self.serving.post("/v1/predict", bad, kind), 400)
        self.error(self.serving.post("/v1/predict", form, "multipart/form-data"), 400)

    def test_lines_without_a_header(self):
        at = [self.rows[0].index(name) for name in product.COLUMNS]
        good = [",".join(row[i] for i in at) for row in self.rows[1:4]]
        answer = self.serving.post("/v1/predict?echo=1", "\n".join([good[0], "not nine", *good[1:]]), "text/plain").json()
        self.assertEqual([row["line"] for row in answer["rows"]], [1, 2, 3, 4])
        self.assertEqual(answer["rows"][1]["problem"], "Error in line 2: must contain 9 comma-separated values.")
        self.assertIsNone(answer["rows"][1]["record"])
        whole = self.serving.post("/v1/predict", self.table(self.rows[:4])[1], CSV, Accept=JSON).json()
        self.assertEqual([answer["rows"][i]["score"] for i in (0, 2, 3)], [row["score"] for row in whole["rows"]])
        self.assertEqual(answer["rows"][0]["record"]["CDR3_beta"], self.rows[1][self.rows[0].index("CDR3_beta")])

    def test_another_model_of_the_store(self):
        path, text = self.table(self.rows[:30])
        for reference in ("quickstart@v1", "quickstart@v2", MODEL, "quickstart@v1"):
            answer = self.serving.post(f"/v1/predict?model={reference}", text, CSV)
            self.assertEqual((answer.status, answer.headers["x-model-version"]), (200, reference.rpartition("v")[2]))
            self.assertEqual(answer.text, self.predicted(path, model=reference))
        for reference in ("quickstart@v99", "nothing@v1", "../quickstart", "quickstart.model", "quickstart@"):
            self.error(self.serving.post(f"/v1/predict?model={reference}", text, CSV), 404)

    def test_examples(self):
        document = self.serving.get("/v1/examples?count=10&seed=3").json()
        self.assertEqual((len(document["rows"]), document["columns"]), (10, product.COLUMNS))
        self.assertEqual(document, self.serving.get("/v1/examples?count=10&seed=3").json())
        self.assertNotEqual(document["rows"], self.serving.get("/v1/examples?count=10&seed=4").json()["rows"])
        self.assertEqual({type(row["binder"]) for row in document["rows"]}, {bool})
        answer = self.serving.post("/v1/predict", document["csv"], "text/plain").json()
        self.assertEqual([row["problem"] for row in answer["rows"]], [None] * 10)
        self.error(self.serving.get("/v1/examples?count=x"), 400)

    def test_formats_of_predict(self):
        converted = self.folder / "airr.tsv"
        path, _ = self.table(self.rows[:20])
        self.ok(["convert", path, "--to", "airr", "--output", converted])
        for query, args in (("", []), ("?format=airr", ["--format", "airr"])):
            answer = self.serving.post("/v1/predict" + query, converted.read_text(), TSV)
            self.assertEqual((answer.status, answer.text), (200, self.predicted(converted, *args)))
        short = [["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta"], self.rows[1][:6]]
        path, text = self.table(short)
        epitope, mhc = self.rows[1][self.rows[0].index("Epitope")], self.rows[1][self.rows[0].index("MHC")]
        answer = self.serving.post(f"/v1/predict?epitope={epitope}&mhc={mhc.replace('*', '%2A')}", text, CSV)
        self.assertEqual((answer.status, answer.text), (200, self.predicted(path, "--epitope", epitope, "--mhc", mhc)))

    def test_bodies_in_chunks_and_compressed(self):
        path, text = self.table(self.rows)
        wanted = self.predicted(path)
        connection = self.serving.connect()
        parts = [text.encode()[at:at + 1000] for at in range(0, len(text), 1000)]
        connection.request("POST", "/v1/predict", iter(parts), {"Content-Type": CSV}, encode_chunked=True)
        response = connection.getresponse()
        self.assertEqual((response.status, response.read().decode()), (200, wanted))
        zipped = gzip.compress(text.encode())
        connection.request("POST", "/v1/predict", zipped, {"Content-Type": CSV, "Content-Encoding": "gzip"})
        response = connection.getresponse()
        self.assertEqual((response.status, response.read().decode()), (200, wanted))
        connection.close()
        broken = zipped[:40] + b"\0" * 40
        self.error(self.serving.post("/v1/predict", broken, CSV, **{"Content-Encoding": "gzip"}), 400, "compressed")
        self.error(self.serving.post("/v1/predict", text, CSV, **{"Content-Encoding": "gzip"}), 400, "gzip")
        self.assertEqual(self.serving.post("/v1/predict", zipped, CSV).text, wanted)  # seen from its first bytes
        self.error(self.serving.post("/v1/predict", zipped, CSV, **{"Content-Encoding": "br"}), 415)

    def test_concurrent_clients_get_their_own_rows(self):
        path, _ = self.table(self.rows)
        predicted = rows_of(self.predicted(path))
        scores = {tuple(row): got["score"] for row, got in zip(self.rows[1:], predicted)}
        faults = []

        def client(number):
            connection = self.serving.connect()
            for turn in range(15):
                begin = (number * 37 + turn * 11) % 100
                part = self.rows[1 + begin:1 + begin + 1 + turn]
                sent = {"rows": [dict(zip(self.rows[0], row)) for row in part]}
                connection.request("POST", "/v1/predict", json.dumps(sent), {"Content-Type": JSON})
                response = connection.getresponse()
                got = json.loads(response.read(), parse_float=str, parse_int=str)
                if [row["score"] for row in got.get("rows", [])] != [scores[tuple(row)] for row in part]:
                    faults.append((number, turn, response.status))
            connection.close()

        threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])


class Protocol(ServeCase):
    def infer(self, document, path=""):
        return self.serving.post(f"/v2/models/quickstart{path}/infer", document)

    def inputs(self, rows, shape=()):
        return [{"name": name, "datatype": "BYTES", "shape": [len(rows), *shape], "data": [row[at] for row in rows]}
                for at, name in enumerate(self.rows[0]) if name not in ("Label", "Origin", "Fold")]

    def test_metadata_and_health(self):
        self.assertEqual(self.serving.get("/v2").json()["name"], "tcrops")
        for path in ("/v2/health/live", "/v2/health/ready"):
            self.assertEqual(self.serving.get(path).status, 200)
        self.assertEqual(self.serving.get("/v2/health/ready").json(), {"live": True, "ready": True})
        for path in ("", f"/versions/{TRAINED}"):
            document = self.serving.get("/v2/models/quickstart" + path).json()
            self.assertEqual((document["name"], document["versions"], document["platform"]),
                             ("quickstart", [str(TRAINED)], "tcrops"))
            self.assertEqual({each["datatype"] for each in document["inputs"]}, {"BYTES"})
            self.assertEqual([each["name"] for each in document["outputs"]], product.ANSWERS)
            self.assertEqual(self.serving.get(f"/v2/models/quickstart{path}/ready").json()["ready"], True)
        for path in ("/v2/models/other", "/v2/models/other/ready", "/v2/models/quickstart/versions/99"):
            self.error(self.serving.get(path), 404, "quickstart")

    def test_infer(self):
        rows = self.rows[1:9] + [["CASSXF"] * len(self.rows[0])]
        path, _ = self.table([self.rows[0], *rows])
        predicted = rows_of(self.predicted(path))
        for shape, version in (((), ""), ((1,), f"/versions/{TRAINED}")):
            answer = self.infer({"id": "q1", "inputs": self.inputs(rows, shape)}, version)
            document = answer.json(parse_float=str, parse_int=str)
            self.assertEqual((document["model_name"], document["model_version"], document["id"]),
                             ("quickstart", str(TRAINED), "q1"))
            outputs = {each["name"]: each for each in document["outputs"]}
            self.assertEqual(list(outputs), product.ANSWERS)
            self.assertEqual([value or "" for value in outputs["score"]["data"]], [row["score"] for row in predicted])
            self.assertEqual(outputs["problem"]["data"], [row["problem"] for row in predicted])
            self.assertEqual(outputs["call"]["datatype"], "BOOL")
        only = self.infer({"inputs": self.inputs(rows), "outputs": [{"name": "score"}]}).json()
        self.assertEqual([each["name"] for each in only["outputs"]], ["score"])

    def test_bad_inputs(self):
        good = self.inputs(self.rows[1:3])
        for document, part in (({}, "inputs"), ({"inputs": []}, "inputs"), ({"inputs": [{}]}, "name"), ([], "inputs"),
                               ({"inputs": [{**good[0], "datatype": "FP32"}]}, "BYTES"),
                               ({"inputs": [{**good[0], "data": [1, 2]}]}, "texts"),
                               ({"inputs": [{**good[0], "shape": [3]}]}, "shape"),
                               ({"inputs": [good[0], {**good[1], "shape": [1], "data": ["x"]}]}, "same number"),
                               ({"inputs": good, "outputs": [{"name": "score"}] * 2}, "twice"),
                               ({"inputs": good, "outputs": [{"name": "no"}]}, "score")):
            self.error(self.infer(document), 400, part)


class Description(ServeCase):
    def test_models(self):
        document = self.serving.get("/v1/models").json()
        self.assertEqual(document["serving"]["golden"], "bit_equal")
        self.assertIsNone(document["serving"]["problem"])
        model, = document["models"]
        self.assertEqual(model, self.serving.get("/v1/models/quickstart").json())
        self.assertEqual([each["version"] for each in model["versions"] if each["serving"]], [TRAINED])
        version = self.serving.get(f"/v1/models/quickstart/versions/{TRAINED}").json()
        self.assertEqual(version["artifact"], document["serving"]["artifact"])
        self.assertEqual(version["parents"]["dataset"], document["serving"]["data_version"])
        self.error(self.serving.get("/v1/models/nothing"), 404, "nothing")
        self.error(self.serving.get("/v1/models/quickstart/versions/99"), 404, "99")

    def test_every_answer_says_who_gave_it(self):
        line = self.serving.line
        for path in ("/v2", "/v2/health/ready", "/v1/models", "/metrics", "/openapi.json", "/nowhere"):
            headers = self.serving.get(path).headers
            self.assertEqual((headers["x-model-id"], headers["x-data-version"]), (line["artifact"], line["data_version"]))
            self.assertTrue(headers["x-request-id"])

    def test_openapi(self):
        """The description is OpenAPI, names every path, and the answers are as it says."""
        import jsonschema
        document = self.serving.get("/openapi.json").json()
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertEqual(document, json.loads((product.ROOT / "src" / "serve" / "openapi.json").read_text()))
        for path, operations in document["paths"].items():
            for name, operation in operations.items():
                self.assertEqual(self.serving.ask("TRACE", path.replace("{", "").replace("}", "")).headers["allow"],
                                 "POST" if name == "post" else "GET, HEAD", path)
                said = {each["$ref"].rsplit("/", 1)[1] for each in operation.get("parameters", []) if "$ref" in each}
                self.assertLessEqual(set(re.findall(r"{(\w+)}", path)), said)
        refs = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))
        for ref in refs:
            at = document
            for part in ref.split("/"):
                at = at[part]
        for name, schema in document["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)

        def check(name, value):
            jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document}).validate(value)

        rows = {"rows": [dict(zip(self.rows[0], row)) for row in self.rows[1:3]] + [{"CDR3_beta": "CASSXF"}]}
        check("Rows", rows)
        check("Predictions", self.serving.post("/v1/predict", rows).json())
        check("Models", self.serving.get("/v1/models").json())
        check("Model", self.serving.get("/v1/models/quickstart").json())
        check("FullVersion", self.serving.get("/v1/models/quickstart/versions/1").json())
        check("Metadata", self.serving.get("/v2/models/quickstart").json())
        check("Error", self.serving.get("/nowhere").json())
        sent = {"inputs": [{"name": "CDR3_beta", "datatype": "BYTES", "shape": [1], "data": ["CASSF"]}]}
        check("InferenceRequest", sent)
        columns = [{"name": name, "datatype": "BYTES", "shape": [1], "data": [self.rows[1][at]]}
                   for at, name in enumerate(self.rows[0])]
        check("InferenceResponse", self.serving.post("/v2/models/quickstart/infer", {"inputs": columns}).json())

    def test_metrics(self):
        rows = [*self.rows[:11], ["CASSXF"] * len(self.rows[0])]
        before = self.metrics()
        self.serving.post("/v1/predict", self.table(rows)[1], CSV)
        self.serving.get("/no/such/path")
        after = self.metrics()

        def grown(name):
            return after.get(name, 0) - before.get(name, 0)

        labels = f'model="quickstart",version="{TRAINED}"'
        found = {name for name in after if name.startswith("tcrops_sequences_total") and grown(name)}
        self.assertEqual(len(found), 2, found)
        self.assertEqual(sum(grown(name) for name in found), 11)
        self.assertEqual(grown('tcrops_requests_total{code="200",route="/v1/predict"}'), 1)
        self.assertEqual(grown('tcrops_requests_total{code="404",route="none"}'), 1)
        self.assertEqual(grown("tcrops_score_count"), 10)
        self.assertEqual(sum(grown(name) for name in after if name.startswith("tcrops_rejected_sequences_total")), 1)
        self.assertTrue(any(labels in name or "quickstart" in name for name in found))
        info, = (name for name in after if name.startswith("tcrops_model_info"))
        self.assertIn(self.serving.line["artifact"], info)
        for name in ("tcrops_queue_depth", "tcrops_model_age_seconds", "tcrops_inference_duration_seconds_count",
                     "tcrops_unseen_epitope_total", "process_resident_memory_bytes", "process_cpu_seconds_total",
                     "process_start_time_seconds", "process_open_fds"):
            self.assertIn(name, after)
        self.assertGreater(after["process_resident_memory_bytes"], 1e6)
        text = self.serving.get("/metrics").text
        for row in rows[1:]:
            self.assertNotIn(row[1], text, "a sequence is in the metrics")

    def metrics(self):
        answer = self.serving.get("/metrics")
        self.assertTrue(answer.headers["content-type"].startswith("text/plain; version=0.0.4"))
        lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


if __name__ == "__main__":
    product.main()
