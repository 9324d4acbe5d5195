#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/problems.h"

namespace launcher {

using ImageLabels = std::map<std::string, std::string>;

/// Reads one label after the other. One that is wrong becomes a problem that names it, for the image's author to mend,
/// and counts as absent from then on.
class LabelReader {
 public:
  explicit LabelReader(const ImageLabels& labels) : labels_(labels) {}

  Problems& problems() noexcept { return problems_; }

  /// Nothing when it is absent; it may be empty.
  std::optional<std::string> text(const std::string& label);
  bool boolean(const std::string& label);
  /// What stands between the separators, empty ones dropped, nothing trimmed.
  std::vector<std::string> list(const std::string& label, char separator);

  /// `what` may be "(not a boolean)".
  void reject(const std::string& label, const std::string& what = "");

  /// Those that begin with `prefix` and that nobody has asked for.
  std::vector<std::string> unread(std::string_view prefix) const;

 private:
  const ImageLabels& labels_;
  std::set<std::string> read_;
  Problems problems_;
};

}  // namespace launcher
