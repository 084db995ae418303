#include <tcrops/core/error.hpp>

#include <fmt/format.h>
#include <system_error>

#include <cerrno>

namespace tcrops {

Error system_error(const std::string& action, const std::filesystem::path& path, int error_number,
                   ExitCode otherwise) {
  const std::string reason = std::generic_category().message(error_number);
  const std::string text = fmt::format("{} {}: {}", action, path.string(), reason);
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return {ExitCode::kTemporary,
              text + "; free some space and run the same command again, it continues"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {otherwise,
              text + "; check the permissions, or choose another place (--store, --output)"};
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
      return {otherwise, text + "; check the path"};
    default:
      return {otherwise, text};
  }
}

}  // namespace tcrops
