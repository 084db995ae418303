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
};
constexpr std::array kPredict = {
    Key{"rows", "rows read"},
    Key{"called", "rows called binding"},
    Key{"unusable", "rows without a score"},
    Key{"output", "the file written"},
};
constexpr std::array kServeCheck = {
    Key{"passed", "true when the model may be served"},
    Key{"checks", "per check `name`, `passed` and `problem`"},
    Key{"latency", "times of single rows, or null when they were not taken"},
};
constexpr std::array kArtifacts = {
    Key{"artifacts", "per artifact `id`, `kind`, `stage`, `names` and `damaged`"},
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
    Key{"valid", "true; what is wrong ends with exit status 3"},
};
constexpr std::array kConfigSchema = {
    Key{"$schema", "the draft it follows"},
    Key{"title", "what it describes"},
    Key{"type", "object"},
    Key{"properties", "sections and their keys, with meaning, range and default"},
    Key{"additionalProperties", "false: an unknown key is an error"},
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
    Shape{"tcrops.stage/1",
          "fetch, preprocess, tune, train, evaluate; serve-check and predict with --config",
          kStage},
    Shape{"tcrops.predict/1", "predict --input", kPredict},
    Shape{"tcrops.serve_check/1", "serve-check --model", kServeCheck},
    Shape{"tcrops.artifacts/1", "artifacts ls", kArtifacts},
    Shape{"tcrops.artifact/1", "artifacts show", kArtifact},
    Shape{"tcrops.verify/1", "artifacts verify", kVerify},
    Shape{"tcrops.config/1", "config show", kConfig},
    Shape{"tcrops.config_validate/1", "config validate", kConfigValidate},
    Shape{"", "config schema (JSON Schema itself)", kConfigSchema},
    Shape{"tcrops.completion/1", "completion", kCompletion},
    Shape{"tcrops.man/1", "man", kMan},
    Shape{"tcrops.version/1", "--version", kVersion},
};

}  // namespace

std::span<const Shape> shapes() { return kShapes; }

}  // namespace tcrops::cli
