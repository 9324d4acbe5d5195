#include "launcher/spec/problems.h"

#include <utility>

namespace launcher {

void Problems::add(std::string problem) {
  if (problems_.size() == kMaxProblemsTold) {
    ++untold_;
    return;
  }
  if (problem.size() > kMaxProblemBytes) {
    problem.resize(kMaxProblemBytes);
    problem += "...";
  }
  problems_.push_back(std::move(problem));
}

void Problems::add(std::string_view subject, const base::Error& error) {
  const std::string text = error.what();
  add(text.find(subject) == std::string::npos ? std::string(subject) + ": " + text : text);
}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::string text;
  for (const std::string& problem : problems_) text += (text.empty() ? "" : "; ") + problem;
  if (untold_ > 0) text += "; and " + std::to_string(untold_) + " more";
  throw base::Error(text);
}

}  // namespace launcher
