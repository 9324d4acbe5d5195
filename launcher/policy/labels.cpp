#include "launcher/policy/labels.h"

#include "base/text.h"
#include "launcher/spec/parse_bool.h"

namespace launcher {

std::optional<std::string> LabelReader::text(const std::string& label) {
  read_.insert(label);
  const auto found = labels_.find(label);
  if (found == labels_.end()) return std::nullopt;
  return found->second;
}

bool LabelReader::boolean(const std::string& label) {
  const auto given = text(label);
  if (!given) return false;
  const auto value = parse_bool(*given);
  if (!value) reject(label, "(not a boolean)");
  return value.value_or(false);
}

std::vector<std::string> LabelReader::list(const std::string& label, char separator) {
  return base::split(text(label).value_or(""), separator);
}

void LabelReader::reject(const std::string& label, const std::string& what) {
  problems_.add("invalid image LABEL '" + label + "'" + (what.empty() ? "" : " " + what) +
                ": contact the image author");
}

std::vector<std::string> LabelReader::unread(std::string_view prefix) const {
  std::vector<std::string> labels;
  for (const auto& [label, value] : labels_) {
    if (label.starts_with(prefix) && !read_.contains(label)) labels.push_back(label);
  }
  return labels;
}

}  // namespace launcher
