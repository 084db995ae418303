#include "shapes.hpp"

#include <array>

namespace tcrops::cli {
namespace {

constexpr std::array kRun = {
    Key{"name", "name of the pipeline"},
    Key{"stages", "one entry per stage, in running order, with the keys of tcrops.stage/1"},
};
constexpr std::array kStage = {
    Key{"stage", "name of the stage"},
    Key{"kind", "kind of its artifact"},
    Key{"artifact", "id"},
    Key{"path", "folder of the artifact"},
    Key{"reused", "true when the store had it already"},
    Key{"seconds", "time it took; 0 when reused"},
    Key{"facts", "the `facts` of its manifest"},
    Key{"result", "made, reused, failed or not run"},
    Key{"problem", "why it failed, or null"},
    Key{"blocked_by", "the failed stage that kept it from running, or null"},
};
constexpr std::array kPlan = {
    Key{"name", "name of the pipeline"},
    Key{"stages",
        "per stage `stage`, `action` (reuse, make, follow, always, missing), `forced`, `reason`, "
        "`artifact`, `previous`, `changes` (`field`, `was`, `now`), `waits_for`, `resumes` and "
        "`seconds`"},
};
constexpr std::array kModels = {
    Key{"models", "per model `name`, `versions`, `aliases`, `last_move` and `problems`"},
};
constexpr std::array kModel = {
    Key{"name", "name of the registered model"},
    Key{"aliases", "alias -> version"},
    Key{"problems", "how its log was changed; none: it is whole"},
    Key{"versions", "per version the keys of tcrops.model_version/1 from `version` to `metrics`"},
};
constexpr std::array kModelVersion = {
    Key{"name", "name of the registered model"},
    Key{"version", "from 1"},
    Key{"aliases", "those it has"},
    Key{"artifact", "id of the model"},
    Key{"registered", "when"},
    Key{"by", "who"},
    Key{"source", "where it comes from"},
    Key{"present", "false when the artifact was removed or is damaged; then these six are null"},
    Key{"path", "folder of the artifact"},
    Key{"parents", "role -> id of what it was made from"},
    Key{"seed", "of its training"},
    Key{"parameters", "model, learning rate, epochs, …"},
    Key{"metrics", "by side of the split"},
    Key{"use", "its ensemble, calibration, background and nearest, where it has them"},
    Key{"evaluations",
        "every evaluation of it in the store, with dataset, metrics, `scored_as` and caveats"},
    Key{"events", "moves of this version, as in tcrops.model_log/1"},
};
constexpr std::array kModelLog = {
    Key{"name", "name of the registered model"},
    Key{"problems", "how the log was changed; none: it is whole"},
    Key{"events", "per move `event`, `version`, `time`, `by`, `reason`, `evidence` and `sha256`"},
};
constexpr std::array kComparison = {
    Key{"a", "`model`, `evaluation`, `scored_as` and `caveats` of the first"},
    Key{"b", "the same of the second"},
    Key{"dataset", "whose test rows were used"},
    Key{"rows", "test rows"},
    Key{"positives", "positive ones"},
    Key{"resamples", "draws of the paired bootstrap"},
    Key{"metrics",
        "per metric `a`, `b`, `difference`, its 95 % interval `low` to `high`, and `share_better`"},
};
constexpr std::array kPromotion = {
    Key{"name", "name of the registered model"},
    Key{"version", "that wanted to be champion"},
    Key{"promoted", "false when a gate failed (exit status 6)"},
    Key{"champion_before", "version, or null"},
    Key{"evidence", "what the log keeps: ids, values and each gate"},
};
constexpr std::array kRollback = {
    Key{"name", "name of the registered model"},
    Key{"champion", "version that is champion again"},
    Key{"from", "version that was"},
};
constexpr std::array kRegistered = {
    Key{"name", "name of the registered model"},
    Key{"version", "of the artifact"},
    Key{"artifact", "id"},
};
constexpr std::array kQuantised = {
    Key{"artifact", "id of the new model"},
    Key{"path", "its folder"},
    Key{"name", "given with --as, or null"},
    Key{"quantised",
        "`weights`, `side` and `rows` it was measured on, `auroc`, `average_precision` and `bytes` "
        "as [before, after], `largest_change` and `mean_change` of a logit"},
    Key{"speed",
        "`rows_per_second` as [before, after] and `kernel`; null when it was there already"},
};
constexpr std::array kWorker = {
    Key{"study", "id of the study in its database"},
    Key{"name", "of the pipeline"},
    Key{"place", "the database"},
    Key{"ended_here", "trials that this worker has ended"},
    Key{"finished", "trials that have ended"},
    Key{"trials", "how many there are to be"},
};
constexpr std::array kStudies = {
    Key{"studies",
        "per study `id`, `name`, `place` (store, half done, or the database), `trials`, "
        "`finished`, `running` and `best`"},
};
constexpr std::array kStudy = {
    Key{"id", "of the artifact, or of the study in its database"},
    Key{"name", "of the pipeline"},
    Key{"place", "store, half done, or the database"},
    Key{"configuration", "section tune, what shapes the trials"},
    Key{"seed", "of the study"},
    Key{"backend_class", "what computes"},
    Key{"dataset", "id"},
    Key{"space", "per parameter `name`, `type`, its range or options, and `when`"},
    Key{"total", "how many trials there are to be"},
    Key{"count", "trials by state, and `not_acceptable` ones"},
    Key{"best", "numbers of the acceptable complete trials, best first"},
    Key{"best_so_far", "`trial` and `value` of each that was better than all before"},
    Key{"importance", "per parameter `importance` (null: too few trials) and `trials`"},
    Key{"kept", "of a published study its best models, with their `spread` over seeds; else null"},
    Key{"trials",
        "per trial `number`, `state`, `value`, `acceptable`, `reason`, `point`, `origin`, "
        "`trained_numbers`, `last_step`, `decisions` of the pruner with their evidence, `attempt`, "
        "`worker`, `job` and `seconds`"},
    Key{"attempts",
        "of a database: `trial`, `attempt`, `worker`, `job`, `started`, `ended`, `how` (finished, "
        "released, failed, lost)"},
    Key{"late_results", "of a database: `trial`, `worker`, `time`, `outcome`; they do not count"},
};
constexpr std::array kStudyExport = {
    Key{"study", "id"},
    Key{"name", "of the study in Optuna's tables"},
    Key{"trials", "how many were written"},
    Key{"database", "where"},
};
constexpr std::array kStudyReplay = {
    Key{"study", "id"},
    Key{"trials", "how many were repeated"},
    Key{"trained", "false: only suggestions and decisions were"},
    Key{"same", "false when something differs (exit status 6)"},
    Key{"problems", "per difference `trial` and `problem`"},
};
constexpr std::array kReproduce = {
    Key{"artifact", "id"},
    Key{"same", "false when it came out differently (exit status 6)"},
    Key{"steps",
        "per artifact made again, parents first: `kind`, `artifact`, `made`, `copied`, `same` and "
        "`files` (`name`, `same`, `bytes`, `difference`)"},
};
constexpr std::array kLineage = {
    Key{"root", "id of what was asked for; of a logged request its id, of kind `query`"},
    Key{"nodes",
        "per artifact `id`, `kind`, `stage`, `stage_version`, `seed`, `names`, `versions`, `made`, "
        "`host`, `origin`, `read_from`, `licence`, `citation`, `files` (of raw data: `name`, "
        "`bytes`, `sha256`) and `problem`; what is unknown is null"},
    Key{"edges", "`from` an input, `to` what was made from it, `role`"},
};
constexpr std::array kDiff = {
    Key{"a", "id"},
    Key{"b", "id"},
    Key{"same", "true when they are one artifact"},
    Key{"fields", "per differing part of the manifests `path`, `a` and `b`"},
    Key{"files", "per differing file `name`, `a` and `b` (`bytes`, `sha256`, or null)"},
    Key{"equal_files", "how many are equal"},
    Key{"causes",
        "what differs upstream, nearest first: `at` (roles that lead there), `path`, `a`, `b`"},
    Key{"not_followed", "inputs that could not be compared, and why"},
    Key{"moved",
        "of two datasets what their profiles show: `counts`, `distance` of the fingerprints (0 to "
        "1), `distributions` (`name`, `distance`, totals `a` and `b`, `movers` with their shares "
        "`a` and `b`), `missing`, `new_epitopes`, `vanished_epitopes`, `not_compared`; else null"},
};
constexpr std::array kExport = {
    Key{"file", "the archive"},
    Key{"sha256", "of it"},
    Key{"bytes", "of it"},
    Key{"artifacts", "`id` and `kind`, parents first"},
};
constexpr std::array kImport = {
    Key{"roots", "`reference` and `id` of what was exported"},
    Key{"added", "`id` and `kind` of what was not there"},
    Key{"present", "the same of what was"},
    Key{"name", "given with --as, or null"},
};
constexpr std::array kGc = {
    Key{"removed_now", "false: it was only said"},
    Key{"kept", "per artifact `id`, `kind`, `bytes` and `why`"},
    Key{"removed", "the same of what goes; `why` is null"},
    Key{"bytes", "of what goes"},
    Key{"names", "names that go"},
    Key{"work", "half-done work that goes, by key"},
    Key{"work_kept", "half-done work that stays"},
    Key{"left_behind", "half-written files of killed processes, which go"},
};
constexpr std::array kDoctor = {
    Key{"ok", "false when a check failed (exit status 6)"},
    Key{"checks", "per check `name`, `status` (ok, warning, failed), `found` and `advice`"},
    Key{"facts", "per check the numbers behind it"},
};
constexpr std::array kConvert = {
    Key{"format", "of the input"},
    Key{"rows", "rows read"},
    Key{"records", "records they make; several rows may be one"},
    Key{"refused_rows", "rows that were not taken over"},
    Key{"changed_rows", "rows taken over with another value"},
    Key{"cleaning",
        "per kind of finding `action` (refused, changed, noticed), `field`, `code`, `count`, "
        "`first_line` and `reason`"},
    Key{"output", "the file written, or null"},
};
constexpr std::array kPredict = {
    Key{"format", "of the input"},
    Key{"rows", "rows read"},
    Key{"called", "rows called binding"},
    Key{"unusable", "rows without a score"},
    Key{"unseen_epitope", "rows with this flag"},
    Key{"far_from_training", "rows with this flag"},
    Key{"background", "among which percentiles are: training, controls or none"},
    Key{"explained",
        "`file`, `rows`, `steps`, `mean_error` and `largest_error` of what letters add to logits, "
        "`line` of the latter; null without --explain"},
    Key{"cleaning", "as in tcrops.convert/1"},
    Key{"output", "the file written"},
};
constexpr std::array kServe = {
    Key{"url", "where it listens"},
    Key{"address", "the same as host and port"},
    Key{"name", "of the registered model, or what --model was"},
    Key{"version", "of the registered model, or the beginning of the id"},
    Key{"artifact", "id of the model"},
    Key{"data_version", "id of the dataset it was trained on"},
    Key{"golden", "bit_equal, or within_tolerance on another backend class than that of training"},
};
constexpr std::array kQueries = {
    Key{"file", "the query log"},
    Key{"queries", "per request, newest first, the keys of tcrops.query/1 from `id` to `error`"},
    Key{"next", "for --before, to see older ones; or null"},
};
constexpr std::array kQuery = {
    Key{"id", "of the request, as the answer's X-Request-Id"},
    Key{"number", "grows with every entry; requests may share an id"},
    Key{"time", "when it came, seconds since 1970"},
    Key{"route", "path of the API"},
    Key{"status", "of the answer"},
    Key{"valid", "true when it was answered and some row has a score"},
    Key{"model", "that answered, by name"},
    Key{"version", "of it"},
    Key{"artifact", "id of it"},
    Key{"data_version", "id of the dataset it was trained on, or null"},
    Key{"reference", "what the request or the server called it"},
    Key{"rows", "rows sent"},
    Key{"scored", "rows with a score"},
    Key{"rejected", "rows without"},
    Key{"unseen", "rows of an epitope without a binder in training"},
    Key{"far", "rows whose TCR is far from training"},
    Key{"seconds", "it took"},
    Key{"digest", "SHA-256 of what was sent"},
    Key{"media_type", "of what was sent"},
    Key{"has_input", "true when what was sent was kept"},
    Key{"error", "kind of failure, or null"},
    Key{"outputs", "of the first 1000 rows `line`, `score`, `call` and `problem_kind`"},
    Key{"input", "what was sent, or null"},
    Key{"content_type", "of it, as it was sent when it was kept"},
};
constexpr std::array kQueriesPurge = {
    Key{"file", "the query log"},
    Key{"removed_now", "false with --dry-run"},
    Key{"queries", "entries that are removed"},
    Key{"inputs", "entries whose text is removed"},
    Key{"erased", "false: bytes of them may still be in the file; purge again"},
};
constexpr std::array kServeCheck = {
    Key{"passed", "true when the model may be served"},
    Key{"checks", "per check `name`, `passed` and `problem`"},
    Key{"latency", "times of single rows, or null when they were not taken"},
    Key{"memory", "`resident_bytes` with the model loaded and used, or null"},
};
constexpr std::array kArtifacts = {
    Key{"artifacts",
        "per artifact, oldest first, `id`, `kind`, `stage`, `names`, `published`, `bytes`, "
        "`parents` and `damaged`"},
};
constexpr std::array kArtifact = {
    Key{"id", "SHA-256 of the manifest"},
    Key{"path", "folder of the artifact"},
    Key{"manifest", "tcrops.manifest/1"},
};
constexpr std::array kVerify = {
    Key{"artifacts", "how many there are"},
    Key{"problems", "per problem `id` (empty: the store itself) and `problem`; none: all is well"},
};
constexpr std::array kConfig = {
    Key{"configuration", "every value, by section"},
    Key{"origins", "per `section.key`: default, file, environment or command line"},
};
constexpr std::array kConfigValidate = {
    Key{"valid", "false when something is wrong (exit status 3)"},
    Key{"file", "the pipeline file"},
    Key{"problems", "per problem `file`, `line`, `column`, `key` and `message`"},
};
constexpr std::array kConfigInit = {
    Key{"file", "the pipeline file written, or null"},
    Key{"schema_file", "the JSON Schema written beside it, or null"},
};
constexpr std::array kConfigSchema = {
    Key{"$schema", "the draft it follows"},
    Key{"title", "what it describes"},
    Key{"description", "the same in a sentence"},
    Key{"type", "object"},
    Key{"properties", "sections and their keys, with meaning, range and default"},
    Key{"additionalProperties", "false: an unknown key is an error"},
    Key{"allowComments", "true, for editors"},
    Key{"allowTrailingCommas", "false, for editors"},
};
constexpr std::array kCompletion = {
    Key{"shell", "bash, zsh or fish"},
    Key{"script", "what the shell has to read"},
};
constexpr std::array kMan = {
    Key{"commands", "per command `name`, `summary`, `example`, `options` and its own `commands`"},
    Key{"configuration", "per key of a pipeline file its meaning, unit, range and default"},
    Key{"environment", "per variable `name` and `meaning`"},
    Key{"exit_statuses", "per exit status `status`, `name`, `detail` and `used`"},
    Key{"results", "this table: per schema `schema`, `command` and `keys`"},
};
constexpr std::array kVersion = {
    Key{"version", "of the program"},
    Key{"revision", "of its sources, with -dirty when changed, or unknown"},
    Key{"revision_date", "day of that revision"},
    Key{"compiler", "that built it"},
    Key{"build_type", "Release, Debug or RelWithDebInfo"},
    Key{"features", "what it was built with: libtorch, cuda"},
};

constexpr std::array kShapes = {
    Shape{"tcrops.run/1", "run", kRun},
    Shape{"tcrops.plan/1", "run --dry-run", kPlan},
    Shape{"tcrops.stage/1",
          "fetch, preprocess, tune, train, evaluate; serve-check and predict with --config",
          kStage},
    Shape{"tcrops.convert/1", "convert", kConvert},
    Shape{"tcrops.predict/1", "predict --input", kPredict},
    Shape{"tcrops.serve_check/1", "serve-check --model", kServeCheck},
    Shape{"tcrops.serve/1", "serve, as one line when it listens", kServe},
    Shape{"tcrops.models/1", "models list", kModels},
    Shape{"tcrops.model/1", "models show NAME", kModel},
    Shape{"tcrops.model_version/1", "models show NAME@VERSION", kModelVersion},
    Shape{"tcrops.model_log/1", "models log", kModelLog},
    Shape{"tcrops.comparison/1", "models compare", kComparison},
    Shape{"tcrops.promotion/1", "models promote", kPromotion},
    Shape{"tcrops.rollback/1", "models rollback", kRollback},
    Shape{"tcrops.registered/1", "models register", kRegistered},
    Shape{"tcrops.quantised/1", "models quantise", kQuantised},
    Shape{"tcrops.queries/1", "queries list", kQueries},
    Shape{"tcrops.query/1", "queries show", kQuery},
    Shape{"tcrops.queries_purge/1", "queries purge", kQueriesPurge},
    Shape{"tcrops.worker/1", "tune --worker", kWorker},
    Shape{"tcrops.studies/1", "study list", kStudies},
    Shape{"tcrops.study/1", "study show", kStudy},
    Shape{"tcrops.study_export/1", "study export", kStudyExport},
    Shape{"tcrops.study_replay/1", "study replay", kStudyReplay},
    Shape{"tcrops.reproduce/1", "reproduce", kReproduce},
    Shape{"tcrops.artifacts/1", "artifacts ls", kArtifacts},
    Shape{"tcrops.artifact/1", "artifacts show", kArtifact},
    Shape{"tcrops.verify/1", "artifacts verify", kVerify},
    Shape{"tcrops.lineage/1", "artifacts lineage", kLineage},
    Shape{"tcrops.diff/1", "artifacts diff", kDiff},
    Shape{"tcrops.export/1", "artifacts export", kExport},
    Shape{"tcrops.import/1", "artifacts import", kImport},
    Shape{"tcrops.gc/1", "artifacts gc", kGc},
    Shape{"tcrops.config_init/1", "config init", kConfigInit},
    Shape{"tcrops.config/1", "config show", kConfig},
    Shape{"tcrops.config_validate/1", "config validate", kConfigValidate},
    Shape{"", "config schema (JSON Schema itself)", kConfigSchema},
    Shape{"tcrops.doctor/1", "doctor", kDoctor},
    Shape{"tcrops.completion/1", "completion", kCompletion},
    Shape{"tcrops.man/1", "man", kMan},
    Shape{"tcrops.version/1", "--version", kVersion},
};

}  // namespace

std::span<const Shape> shapes() { return kShapes; }

}  // namespace tcrops::cli
