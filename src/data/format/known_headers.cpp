#include "known_headers.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

namespace tcrops::data {
namespace {

constexpr std::size_t kKept = 8;
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kMostNames = 64;

// What a header's meaning depends on, and whether it is refused.
struct Question {
  std::string format;
  std::vector<Column> required;
  LabelRule label_rule = LabelRule::kOptional;
  bool gives_epitope = false;
  bool gives_mhc = false;

  bool operator==(const Question&) const = default;
};

bool asks(const ReadOptions& options, const Question& question) {
  return question.format == options.format && question.label_rule == options.label_rule &&
         question.gives_epitope == !options.epitope.empty() &&
         question.gives_mhc == !options.mhc.empty() && question.required == options.required;
}

// Whether nothing else is said of it, and it does not take up much.
bool may_be_kept(const TextTable& table, const ReadOptions& options) {
  return options.known_headers != nullptr && options.map.empty() && !options.warns &&
         options.epitope_in_name.empty() && table.names.size() <= kMostNames &&
         std::all_of(table.names.begin(), table.names.end(),
                     [](std::string_view name) { return name.size() <= kLongestName; });
}

bool is_header_of(const Header& header, const TextTable& table) {
  const auto& names = header.rows.front();
  return std::equal(names.begin(), names.end(), table.names.begin(), table.names.end());
}

}  // namespace

struct KnownHeaders::Entries {
  struct Entry {
    Question question;
    std::shared_ptr<const Header> header;
  };
  std::mutex mutex;
  std::deque<Entry> kept;  // the last one first
};

KnownHeaders::KnownHeaders() : entries_(std::make_unique<Entries>()) {}
KnownHeaders::~KnownHeaders() = default;

std::shared_ptr<const Header> header_of(const TextTable& table, RowSource& rows,
                                        const ReadOptions& options) {
  if (!may_be_kept(table, options))
    return std::make_shared<const Header>(read_header(rows, options));
  KnownHeaders::Entries& entries = options.known_headers->entries();
  {
    const std::lock_guard lock(entries.mutex);
    const auto known = std::find_if(entries.kept.begin(), entries.kept.end(), [&](const auto& e) {
      return asks(options, e.question) && is_header_of(*e.header, table);
    });
    if (known != entries.kept.end()) {
      static_cast<void>(rows.next());  // the names
      return known->header;
    }
  }
  auto header = std::make_shared<const Header>(read_header(rows, options));
  if (header->first_row || header->rows.size() != 1) return header;
  Question question{options.format, options.required, options.label_rule, !options.epitope.empty(),
                    !options.mhc.empty()};
  const std::lock_guard lock(entries.mutex);
  entries.kept.push_front({std::move(question), header});
  if (entries.kept.size() > kKept) entries.kept.pop_back();
  return header;
}

}  // namespace tcrops::data
