#include "oci/reference.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/ascii.h"
#include "base/error.h"

namespace oci {
namespace {

using base::InvalidInput;

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kOldDefaultDomain = "index.docker.io";
constexpr std::string_view kDefaultRegistry = "registry-1.docker.io";
constexpr std::string_view kOfficialPrefix = "library/";
constexpr auto kDefaultTag = "latest";
constexpr std::size_t kMaxNameLength = 255;
constexpr std::size_t kMaxTagLength = 128;

bool is_word(char c) { return base::is_alphanumeric_or(c, "_"); }
bool is_lower_or_digit(char c) { return base::is_lower(c) || base::is_digit(c); }

/// The first part of a path is a host only when it could not be a user's name.
bool looks_like_domain(std::string_view part) {
  return part == "localhost" || part.find_first_of(".:") != std::string_view::npos ||
         std::ranges::any_of(part, base::is_upper);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535;
}

bool is_host_label(std::string_view label) {
  const auto legal = [](char c) { return (is_word(c) && c != '_') || c == '-'; };
  return !label.empty() && std::ranges::all_of(label, legal) && label.front() != '-' && label.back() != '-';
}

bool is_host_name(std::string_view host) {
  for (;;) {
    const std::size_t dot = host.find('.');
    if (!is_host_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool is_domain(std::string_view domain) {
  if (domain.starts_with('[')) {
    const std::size_t close = domain.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view address = domain.substr(1, close - 1);
    const std::string_view rest = domain.substr(close + 1);
    return !address.empty() && address.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos &&
           (rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1))));
  }
  const std::size_t colon = domain.find(':');
  if (!is_host_name(domain.substr(0, colon))) return false;
  return colon == std::string_view::npos || is_port(domain.substr(colon + 1));
}

/// [a-z0-9]+ joined by one dot, one or two underscores, or any number of hyphens.
bool is_path_component(std::string_view part) {
  if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
  for (std::size_t at = 0; at < part.size();) {
    if (is_lower_or_digit(part[at])) {
      ++at;
      continue;
    }
    const std::size_t end = std::min(part.find_first_not_of(part[at], at), part.size());
    const std::size_t length = end - at;
    const bool legal = (part[at] == '.' && length == 1) || (part[at] == '_' && length <= 2) || part[at] == '-';
    if (!legal || !is_lower_or_digit(part[end])) return false;
    at = end;
  }
  return true;
}

bool is_path(std::string_view path) {
  for (;;) {
    const std::size_t slash = path.find('/');
    if (!is_path_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view tag) {
  const auto legal = [](char c) { return is_word(c) || c == '.' || c == '-'; };
  return !tag.empty() && tag.size() <= kMaxTagLength && is_word(tag.front()) && std::ranges::all_of(tag, legal);
}

std::pair<std::string, std::string> split_domain(std::string_view name) {
  const std::size_t slash = name.find('/');
  std::string domain(kDefaultDomain);
  std::string path(name);
  if (slash != std::string_view::npos && looks_like_domain(name.substr(0, slash))) {
    domain = name.substr(0, slash);
    path = name.substr(slash + 1);
  }
  if (domain == kOldDefaultDomain) domain = kDefaultDomain;
  if (domain == kDefaultDomain && path.find('/') == std::string::npos) path.insert(0, kOfficialPrefix);
  return {std::move(domain), std::move(path)};
}

}  // namespace

ImageReference ImageReference::parse(std::string_view text, std::string_view field) {
  if (text.empty()) throw InvalidInput(field, "image reference is empty");
  if (text.size() > kMaxReferenceLength) throw InvalidInput(field, "image reference is too long");
  ImageReference reference;
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) reference.digest_ = Digest::parse(text.substr(at + 1), field);
  std::string_view name = text.substr(0, at);
  const std::size_t colon = name.rfind(':');
  const std::size_t slash = name.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    reference.tag_ = std::string(name.substr(colon + 1));
    if (!is_tag(*reference.tag_)) throw InvalidInput(field, "image reference has a malformed tag");
    name = name.substr(0, colon);
  }
  if (name.empty()) throw InvalidInput(field, "image reference has no name");
  std::tie(reference.domain_, reference.repository_) = split_domain(name);
  if (!is_domain(reference.domain_)) throw InvalidInput(field, "image reference has a malformed host");
  if (!is_path(reference.repository_)) throw InvalidInput(field, "image reference has a malformed name");
  if (reference.domain_.size() + 1 + reference.repository_.size() > kMaxNameLength) {
    throw InvalidInput(field, "image reference has a name of more than 255 characters");
  }
  if (!reference.tag_ && !reference.digest_) reference.tag_ = kDefaultTag;
  return reference;
}

std::string ImageReference::name() const {
  std::string text = domain_ + "/" + repository_;
  if (tag_) text += ":" + *tag_;
  if (digest_) text += "@" + digest_->string();
  return text;
}

std::string ImageReference::registry_host() const {
  return domain_ == kDefaultDomain ? std::string(kDefaultRegistry) : base::lower_case(domain_);
}

const std::string& ImageReference::tag_or_digest() const { return digest_ ? digest_->string() : *tag_; }

}  // namespace oci
