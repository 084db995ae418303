#include "training_set.hpp"

#include "loss.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tcrops::nn {
namespace {

at::Tensor floats(std::span<const float> values) {
  return at::tensor(at::ArrayRef<float>(values.data(), values.size()));
}

void check_options(const ModelSpec& spec, const TrainOptions& options) {
  const bool by_row = options.sampling == "each_row";
  if (options.missing_pairs != 0.0 &&
      (spec.is_pan() || !by_row || options.loss.name == "softmax")) {
    throw Error(ExitCode::kConfiguration,
                "missing pairs count with heads (network.head), train.sampling \"each_row\" and "
                "another loss than softmax; set them, or train.missing_pairs 0");
  }
  if (options.loss.name != "softmax") return;
  if (spec.competing && by_row) return;
  throw Error(ExitCode::kConfiguration,
              "the loss \"softmax\" needs network.head \"competing\" and train.sampling "
              "\"each_row\"; set them, or take another loss");
}

void check_heads(const std::vector<std::int64_t>& heads) {
  const auto without = std::find(heads.begin(), heads.end(), -1);
  if (without == heads.end()) return;
  throw Error(ExitCode::kInputData,
              fmt::format("training row {} has an epitope that the network has no head for",
                          without - heads.begin()));
}

}  // namespace

TrainingSet::TrainingSet(const Examples& examples, Body& body, const DeviceExpansion& expansion,
                         const ModelSpec& spec, const TrainOptions& options,
                         const at::Device& device)
    : options_(options),
      device_(device),
      spec_(spec),
      heads_count_(static_cast<std::int64_t>(spec.epitopes.size())),
      outputs_(spec.outputs()),
      labels_of_(examples.labels.begin(), examples.labels.end()) {
  check_options(spec, options);
  // Also where it does not draw: it checks the labels.
  sampler_.emplace(examples.labels);
  const auto count = static_cast<std::int64_t>(labels_of_.size());
  rows_ = nn::to_device(*examples.rows, 0, count, device);
  labels_ = at::from_blob(labels_of_.data(), {count}, at::TensorOptions().dtype(at::kByte))
                .to(at::kFloat)
                .to(device);
  if (!spec.is_pan()) find_heads(*examples.rows, body);
  if (options.loss.name == "weighted_bce")
    weights_ = floats(class_weights(labels_of_, heads_of_, options.loss)).to(device);
  if (options.sampling == "each_row") group(examples, body);
  fix(examples, body, expansion);
}

// Rows that a network sees alike share what is fixed.
void TrainingSet::fix(const Examples& examples, Body& body, const DeviceExpansion& expansion) {
  constexpr std::size_t kBlockRows = 256;
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  if (body.plain() != nullptr) return fix_features(examples, body, expansion);
  if (spec_.is_mlp()) return;
  const RowGroups alike = group_rows(*examples.rows, body.reader().columns());
  std::vector<at::Tensor> parts;
  for (std::size_t first = 0; first < alike.rows.size(); first += kBlockRows) {
    std::vector<std::int64_t> rows;
    for (std::size_t i = first; i < std::min(first + kBlockRows, alike.rows.size()); ++i)
      rows.push_back(alike.rows[i].front());
    const at::NoGradGuard no_grad;
    const at::Tensor part =
        body.fixed_part(body.reader().read(expansion, select(rows_, to_device(rows))), expansion,
                        /*training=*/true);
    if (!part.defined()) return;
    const auto width = static_cast<std::size_t>(part.size(1));
    if (alike.rows.size() * width * sizeof(float) > kMostBytes) return;
    parts.push_back(part);
  }
  fixed_ = at::cat(parts, 0);
  fixed_of_.resize(labels_of_.size());
  for (std::size_t i = 0; i < alike.rows.size(); ++i) {
    for (const std::int64_t row : alike.rows[i])
      fixed_of_[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(i);
  }
}

// The features of every row, while they are few.
void TrainingSet::fix_features(const Examples& examples, const Body& body,
                               const DeviceExpansion& expansion) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 28U;
  constexpr std::int64_t kBlockRows = 4096;
  const auto count = static_cast<std::int64_t>(examples.rows->rows);
  const auto bytes = count * spec_.inputs * static_cast<std::int64_t>(sizeof(float));
  if (bytes > kMostBytes) return;
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < count; first += kBlockRows) {
    const std::int64_t some = std::min(kBlockRows, count - first);
    const DeviceRows block{rows_.codes.narrow(0, first, some),
                           rows_.numbers.narrow(0, first, some)};
    parts.push_back(body.reader().read(expansion, block).flat);
  }
  fixed_ = at::cat(parts, 0);
  fixed_of_.resize(labels_of_.size());
  std::iota(fixed_of_.begin(), fixed_of_.end(), std::int64_t{0});
}

// What goes through the network.
void TrainingSet::add_inputs(const std::vector<std::int64_t>& rows, Batch& batch) const {
  if (!fixed_.defined()) {
    batch.rows = select(rows_, to_device(rows));
    return;
  }
  std::vector<std::int64_t> numbers;
  for (const std::int64_t row : rows) numbers.push_back(fixed_of_[static_cast<std::size_t>(row)]);
  const bool all_in_order = std::ssize(numbers) == fixed_.size(0) &&
                            std::is_sorted(numbers.begin(), numbers.end()) &&
                            std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
  batch.fixed = all_in_order ? fixed_ : fixed_.index_select(0, to_device(numbers));
}

void TrainingSet::find_heads(const data::EncodedRows& rows, const Body& body) {
  heads_of_ = body.heads_of(rows);
  check_heads(heads_of_);
}

// Without heads each row is a group of its own.
void TrainingSet::group(const Examples& examples, const Body& body) {
  if (heads_of_.empty()) {
    groups_.emplace();
    for (std::int64_t row = 0; row < std::ssize(labels_of_); ++row) groups_->rows.push_back({row});
    return;
  }
  groups_ = group_rows(*examples.rows, body.reader().columns());
  if (options_.missing_pairs != 0.0) find_missing(examples, body);
}

// Of each group the heads that no row is about, here or elsewhere.
void TrainingSet::find_missing(const Examples& examples, const Body& body) {
  data::EncodedRows all = *examples.rows;
  std::vector<std::int64_t> heads = heads_of_;
  if (examples.elsewhere != nullptr) {
    for (std::size_t row = 0; row < examples.elsewhere->rows; ++row)
      data::append_row(*examples.elsewhere, row, all);
    for (const std::int64_t head : body.heads_of(*examples.elsewhere)) heads.push_back(head);
  }
  // The groups with training rows come first, in the same order.
  const RowGroups alike = group_rows(all, body.reader().columns());
  for (std::size_t i = 0; i < groups_->rows.size(); ++i) {
    std::vector<bool> known(static_cast<std::size_t>(heads_count_));
    for (const std::int64_t row : alike.rows[i]) {
      const std::int64_t head = heads[static_cast<std::size_t>(row)];
      if (head >= 0) known[static_cast<std::size_t>(head)] = true;
    }
    missing_.emplace_back();
    for (std::int64_t head = 0; head < heads_count_; ++head) {
      if (!known[static_cast<std::size_t>(head)]) missing_.back().push_back(head);
    }
  }
}

at::Tensor TrainingSet::to_device(const std::vector<std::int64_t>& numbers) const {
  return at::tensor(numbers, at::kLong).to(device_);
}

TrainingSet::Epoch TrainingSet::epoch(std::int64_t number) const {
  Epoch epoch;
  if (!groups_) {
    epoch.order = sampler_->epoch_rows(options_.seed, number);
    epoch.steps = cut_batches(std::ssize(epoch.order), options_.batch_size);
    return epoch;
  }
  const auto count = std::ssize(groups_->rows);
  for (std::int64_t group = 0; group < count; ++group) epoch.order.push_back(group);
  // As many groups as hold about batch_size rows.
  const double share =
      static_cast<double>(options_.batch_size) / static_cast<double>(labels_of_.size());
  const double groups = std::min(share, 1.0) * static_cast<double>(epoch.order.size());
  epoch.steps = cut_batches(std::ssize(epoch.order), std::llround(std::max(groups, 2.0)));
  if (epoch.steps.size() > 1) {  // the order within a step says nothing
    Rng rng(options_.seed, "order", static_cast<std::uint64_t>(number));
    rng.shuffle(epoch.order);
  }
  return epoch;
}

Batch TrainingSet::batch(const Epoch& epoch, const BatchRange& step) const {
  const std::vector<std::int64_t> part(epoch.order.begin() + step.begin,
                                       epoch.order.begin() + step.end);
  return groups_ ? batch_of_groups(part) : batch_of_rows(part);
}

Batch TrainingSet::batch_of_rows(const std::vector<std::int64_t>& rows) const {
  const at::Tensor numbers = to_device(rows);
  Batch batch;
  add_inputs(rows, batch);
  batch.labels = labels_.index_select(0, numbers);
  if (weights_.defined()) batch.weights = weights_.index_select(0, numbers);
  if (heads_of_.empty()) return batch;
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    places.push_back(static_cast<std::int64_t>(i) * heads_count_ +
                     heads_of_[static_cast<std::size_t>(rows[i])]);
  }
  batch.places = to_device(places);
  return batch;
}

Batch TrainingSet::batch_of_groups(const std::vector<std::int64_t>& groups) const {
  std::vector<std::int64_t> seen;  // one row of each group
  for (const std::int64_t group : groups)
    seen.push_back(groups_->rows[static_cast<std::size_t>(group)].front());
  Batch batch;
  add_inputs(seen, batch);
  if (options_.loss.name == "softmax") {
    const std::vector<float> shares = shares_of(groups);
    batch.shares = floats(shares).view({-1, outputs_}).to(device_);
  } else {
    add_targets(groups, batch);
  }
  return batch;
}

// Of each group the equal shares of the heads that it binds, or all for "none of them".
std::vector<float> TrainingSet::shares_of(const std::vector<std::int64_t>& groups) const {
  std::vector<float> shares(groups.size() * static_cast<std::size_t>(outputs_));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& members = groups_->rows[static_cast<std::size_t>(groups[i])];
    std::vector<std::size_t> binding;
    for (const std::int64_t row : members) {
      if (labels_of_[static_cast<std::size_t>(row)] == 1)
        binding.push_back(static_cast<std::size_t>(heads_of_[static_cast<std::size_t>(row)]));
    }
    const std::size_t first = i * static_cast<std::size_t>(outputs_);
    for (const std::size_t head : binding)
      shares[first + head] += 1.0F / static_cast<float>(binding.size());
    if (binding.empty()) shares[first + static_cast<std::size_t>(outputs_) - 1] = 1.0F;
  }
  return shares;
}

// Labels, weights and places of the groups' rows, and the places of the pairs that are missing.
void TrainingSet::add_targets(const std::vector<std::int64_t>& groups, Batch& batch) const {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> places;
  std::vector<std::int64_t> missing;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto group = static_cast<std::size_t>(groups[i]);
    const std::int64_t first = static_cast<std::int64_t>(i) * heads_count_;
    for (const std::int64_t row : groups_->rows[group]) {
      rows.push_back(row);
      if (!heads_of_.empty()) places.push_back(first + heads_of_[static_cast<std::size_t>(row)]);
    }
    if (missing_.empty()) continue;
    for (const std::int64_t head : missing_[group]) missing.push_back(first + head);
  }
  const at::Tensor numbers = to_device(rows);
  batch.labels = labels_.index_select(0, numbers);
  if (weights_.defined()) batch.weights = weights_.index_select(0, numbers);
  if (!heads_of_.empty()) batch.places = to_device(places);
  if (!missing.empty()) batch.missing = to_device(missing);
}

}  // namespace tcrops::nn
