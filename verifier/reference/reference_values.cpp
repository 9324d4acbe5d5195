#include "verifier/reference/reference_values.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/json.h"
#include "measure/hash.h"
#include "verifier/appraisal/boot_registers.h"
#include "verifier/reference/reference_document.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr std::size_t kMaxImages = 10000;

base::Bytes sha256_of(std::string_view json) {
  return measure::hash(measure::HashAlgorithm::kSha256, base::view_of(json));
}

}  // namespace

ReferenceValues ReferenceValues::parse(std::string_view json, const std::string& subject) {
  ReferenceValues values;
  values.add(json, subject);
  return values;
}

void ReferenceValues::add(std::string_view json, const std::string& subject) {
  const Json parsed = base::parse_json(json, subject, kReferenceDocumentLimits);
  const JsonObject document(parsed, subject);
  document.expect_only({"images"});
  add_images(document, nullptr);
}

void ReferenceValues::add_published(std::string_view json, base::ByteView signature, const Publisher& publisher,
                                    const std::string& subject) {
  publisher.expect_signature(json, signature, subject);
  const Json parsed = base::parse_json(json, subject, kReferenceDocumentLimits);
  const JsonObject document(parsed, subject);
  add_publication(document, publisher.parse_publication(document, sha256_of(json)));
}

void ReferenceValues::add_unproven(std::string_view json, const std::string& subject) {
  const Json parsed = base::parse_json(json, subject, kReferenceDocumentLimits);
  const JsonObject document(parsed, subject);
  if (document.has("publisher")) {
    add_publication(document, Publication::parse(document, sha256_of(json)));
  } else {
    document.expect_only({"images"});
    add_images(document, nullptr);
  }
}

void ReferenceValues::add_publication(const JsonObject& document, Publication publication) {
  document.expect_only({"publisher", "version", "expires", "images"});
  auto shared = std::make_shared<const Publication>(std::move(publication));
  add_images(document, shared);
  publications_.push_back(std::move(shared));
}

ReferenceValues::FullName ReferenceValues::full_name(const ReferenceValue& image) {
  return {image.publication ? image.publication->publisher : std::string(), image.name};
}

void ReferenceValues::add_images(const JsonObject& document, const std::shared_ptr<const Publication>& publication) {
  if (!document.has("images")) throw InvalidInput(document.path() + ".images", "is missing");
  const auto images = document.objects_or_empty("images");
  if (images.size() > kMaxImages - images_.size()) throw InvalidInput(document.path() + ".images", "too many images");
  for (const JsonObject& image : images) {
    ReferenceValue value = parse_reference_value(image);
    value.publication = publication;
    const auto [other, is_new] = subjects_.try_emplace(full_name(value), document.path());
    if (!is_new) {
      throw InvalidInput(image.path() + ".name", "\"" + value.name + "\" stands in " + other->second + " already");
    }
    images_.push_back(std::move(value));
  }
}

const ReferenceValue* ReferenceValues::find(const Machine& machine, base::WallTime now) const {
  return std::visit([&](const TpmMachine& with_tpm) { return find(with_tpm, now); }, machine);
}

const ReferenceValue* ReferenceValues::find(const TpmMachine& machine, base::WallTime now) const {
  if (find_retired(machine) != nullptr) return nullptr;
  const auto vouches = [&](const ReferenceValue& image) {
    return !image.deprecated && !(image.publication && image.publication->has_expired(now));
  };
  const auto found = std::ranges::find_if(
      images_, [&](const ReferenceValue& image) { return vouches(image) && image.matches(machine); });
  return found == images_.end() ? nullptr : &*found;
}

const ReferenceValue* ReferenceValues::find_retired(const Machine& machine) const {
  return std::visit([this](const TpmMachine& with_tpm) { return find_retired(with_tpm); }, machine);
}

const ReferenceValue* ReferenceValues::find_retired(const TpmMachine& machine) const {
  const auto found = std::ranges::find_if(
      images_, [&](const ReferenceValue& image) { return image.deprecated && image.may_match(machine); });
  return found == images_.end() ? nullptr : &*found;
}

std::vector<std::string> ReferenceValues::retired_subjects() const {
  std::map<std::string, bool> is_alive;
  for (const ReferenceValue& image : images_) is_alive[subjects_.at(full_name(image))] |= !image.deprecated;
  std::vector<std::string> retired;
  for (const auto& [subject, alive] : is_alive) {
    if (!alive) retired.push_back(subject);
  }
  return retired;
}

std::vector<std::string> ReferenceValues::images_by_loader_alone() const {
  std::vector<std::string> names;
  for (const ReferenceValue& image : images_) {
    const bool is_told = image.unified_kernel_image_authenticode_sha256 || image.states(kLoaderPcr);
    if (!image.deprecated && image.states(kApplicationPcr) && !is_told) names.push_back(image.name);
  }
  return names;
}

}  // namespace verifier
