#pragma once

#include <tcrops/data/record.hpp>

#include <span>
#include <vector>

namespace tcrops::eval {

// Scores any model must beat to be worth anything, one per test record, between 0 and 1. Those that
// learn see the training records with a label only. The same records give the same numbers. Long
// ones look at check_interrupt().

// Always "no": every score 0.
[[nodiscard]] std::vector<double> always_no_scores(std::size_t rows);

// 1-nearest-neighbour look-up: the largest similarity to a training TCR that binds the record's
// epitope; 0 when none does. Similarity is the mean, over the chains that both have, of the cosine
// between counts of 3-letter words of the CDR3.
[[nodiscard]] std::vector<double> nearest_neighbour_scores(std::span<const data::Record> train,
                                                           std::span<const data::Record> test);

// V genes only: sigmoid of the sum over both chains of log (p + 1) / (P + k) - log (n + 1) / (N +
// k), where p of P training positives and n of N training negatives of the epitope that have a V
// gene of that chain have this one (without allele), and k is the number of such genes in training
// plus 1. A missing gene adds nothing. 0 for an epitope without both classes in training. No
// probability: how frequent binders of the epitope are does not enter.
[[nodiscard]] std::vector<double> v_gene_scores(std::span<const data::Record> train,
                                                std::span<const data::Record> test);

// How often the TCR binds, whatever the epitope: (positives + s) / (rows + 1) of its training rows
// (tcr_key), where s is the share of positives in training, which is what a TCR unknown to training
// gets. So it knows nothing when no TCR stands on two sides; when it ranks better than chance, the
// rows give themselves away.
[[nodiscard]] std::vector<double> tcr_frequency_scores(std::span<const data::Record> train,
                                                       std::span<const data::Record> test);

// For each epitope a logistic regression on which letter stands at which position of both CDR3s
// (the first half counted from the left, the second from the right, at most 20 positions of each)
// and on the V and J genes, without alleles: L2 penalty w.w / 2 on all but the intercept, loss
// summed with balanced class weights, as scikit-learn's LogisticRegression(C=1,
// class_weight="balanced"). A gene unknown to training counts as missing. 0 for an epitope without
// both classes in training. A probability if the classes were equally frequent.
[[nodiscard]] std::vector<double> linear_scores(std::span<const data::Record> train,
                                                std::span<const data::Record> test);

}  // namespace tcrops::eval
