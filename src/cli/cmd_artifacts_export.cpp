#include "cmd_artifacts.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/store/archive.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

namespace tcrops::cli {
namespace {

namespace fs = std::filesystem;

struct ExportRequest {
  std::vector<std::string> references;
  std::string output;
  bool no_ancestors = false;
};

store::Packing packing_of(const std::string& output) {
  const auto ends = [&](const char* suffix) { return output.ends_with(suffix); };
  if (output == "-" || ends(".tar")) return store::Packing::kNone;
  if (ends(".tar.gz") || ends(".tgz")) return store::Packing::kGzip;
  if (ends(".tar.zst")) return store::Packing::kZstd;
  throw Error(ExitCode::kUsage,
              fmt::format("{}: the name of an archive ends in .tar, .tar.gz or .tar.zst", output));
}

void require_replaceable(const std::string& output) {
  std::error_code ignored;
  const fs::file_status status = fs::status(output, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status)) return;
  throw Error(ExitCode::kUsage,
              fmt::format("{}: not a plain file; name one, or use - for stdout", output));
}

// Call with the action's errno.
[[noreturn]] void stdout_failed() { throw system_error("cannot write", "stdout", errno); }

// A file that appears whole, or stdout.
class ArchiveFile {
 public:
  explicit ArchiveFile(const std::string& output) {
    if (output == "-") {
      if (isatty(STDOUT_FILENO) == 1) {
        throw Error(ExitCode::kUsage, "an archive is nothing for a terminal; redirect stdout");
      }
    } else {
      require_replaceable(output);
      file_.emplace(output);
    }
  }
  void write(std::string_view bytes) {
    if (file_) {
      file_->write(bytes);
    } else if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) {
      stdout_failed();
    }
  }
  void commit() {
    if (file_) {
      file_->commit();
    } else if (std::fflush(stdout) != 0) {
      stdout_failed();
    }
  }

 private:
  std::optional<AtomicFile> file_;
};

int export_artifacts(const Session& session, const ExportRequest& request) {
  if (session.json && request.output == "-") {
    throw Error(ExitCode::kUsage, "stdout takes the archive or the result of --json, not both");
  }
  store::ExportOptions options{.references = request.references,
                               .ancestors = !request.no_ancestors,
                               .packing = packing_of(request.output)};
  const auto store = session.open_claiming_store();
  ArchiveFile file(request.output);
  std::unique_ptr<Progress> progress;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (!progress) progress = std::make_unique<Progress>("export", total, "bytes");
    progress->update(done);
  };
  const store::ExportResult result =
      store::write_archive(store, options, [&](std::string_view bytes) { file.write(bytes); });
  file.commit();
  progress.reset();
  const std::string summary = fmt::format(
      "{}: {} artifacts, {}, sha256 {}", request.output == "-" ? "stdout" : request.output,
      result.artifacts.size(), shown_size(result.bytes), result.sha256);
  if (request.output == "-") {
    log_info(summary);
    return 0;
  }
  Json json = {{"schema", "tcrops.export/1"},
               {"file", request.output},
               {"sha256", result.sha256},
               {"bytes", result.bytes},
               {"artifacts", Json::array()}};
  for (const store::ArchivedArtifact& artifact : result.artifacts) {
    json["artifacts"].push_back({{"id", artifact.id}, {"kind", artifact.kind}});
  }
  print_result(session, json, summary + "\n");
  return 0;
}

}  // namespace

void add_artifacts_export(CLI::App& app, Session& session) {
  CLI::App& sub = add_store_command(app, session, "export",
                                    "write artifacts and all they were made from to one file");
  auto request = std::make_shared<ExportRequest>();
  sub.add_option("artifacts", request->references, kReferenceHelp)
      ->type_name(kArtifactType)
      ->required();
  sub.add_option("-o,--output", request->output,
                 "archive to write: .tar, .tar.gz or .tar.zst; - for a .tar on stdout")
      ->type_name(kFileType)
      ->required();
  sub.add_flag("--no-ancestors", request->no_ancestors,
               "only the artifacts named; a store that has their ancestors can import them");
  sub.callback([&session, request] {
    session.action = [&session, request] { return export_artifacts(session, *request); };
  });
}

}  // namespace tcrops::cli
