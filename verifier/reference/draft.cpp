#include "verifier/reference/draft.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "verifier/reference/publisher.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

Json parse_document(std::string_view json, const std::string& subject) {
  ReferenceValues values;
  values.add_unproven(json, subject);
  return base::parse_json(json, subject, kReferenceDocumentLimits);
}

}  // namespace

ReferenceDraft ReferenceDraft::parse(std::string_view json, const std::string& subject) {
  ReferenceDraft draft(subject);
  draft.document_ = parse_document(json, subject);
  for (const Json& image : draft.document_.at("images")) draft.names_.insert(image.at("name").get<std::string>());
  return draft;
}

void ReferenceDraft::add(std::string_view json, const std::string& subject) {
  Json added = base::parse_json(json, subject, kReferenceDocumentLimits);
  if (!added.is_object()) throw InvalidInput(subject, "is no JSON object");
  if (!added.contains("images")) added = {{"images", Json::array({std::move(added)})}};
  added = parse_document(added.dump(), subject);
  for (const Json& image : added["images"]) {
    const std::string& name = image.at("name").get_ref<const std::string&>();
    if (names_.contains(name)) throw InvalidInput(subject, "image \"" + name + "\" stands in " + subject_ + " already");
  }
  for (Json& image : added["images"]) {
    names_.insert(image.at("name").get<std::string>());
    document_["images"].push_back(std::move(image));
  }
}

bool ReferenceDraft::deprecate(const std::string& name) {
  Json& images = document_.at("images");
  const auto found = std::ranges::find_if(images, [&](const Json& image) { return image.at("name") == name; });
  if (found == images.end()) throw InvalidInput(subject_, "has no image \"" + name + "\"");
  if (JsonObject(*found, subject_).optional_bool("deprecated").value_or(false)) return false;
  (*found)["deprecated"] = true;
  return true;
}

Publication ReferenceDraft::publish(const Terms& terms, base::WallTime now) {
  const std::optional<std::string> publisher =
      terms.publisher ? terms.publisher : JsonObject(document_, subject_).optional_string("publisher");
  if (!publisher) throw InvalidInput(subject_ + ".publisher", "is missing: it does not say whose it is");
  const std::uint64_t before = JsonObject(document_, subject_).optional_unsigned("version").value_or(0);
  const std::uint64_t version = terms.version.value_or(before + 1);
  if (version <= before)
    throw InvalidInput(subject_ + ".version", "is not above " + std::to_string(before) + ", the one before");
  Json changed = document_;
  changed["publisher"] = *publisher;
  changed["version"] = version;
  if (terms.expires) changed["expires"] = base::to_rfc3339(*terms.expires);
  Publication publication = Publication::parse(JsonObject(changed, subject_), {});
  if (publication.has_expired(now)) throw InvalidInput(subject_ + ".expires", "has passed");
  document_ = std::move(changed);
  return publication;
}

ReferenceValues ReferenceDraft::values() const {
  ReferenceValues values;
  values.add_unproven(text(), subject_);
  return values;
}

std::string ReferenceDraft::text() const {
  constexpr int kIndent = 2;
  return document_.dump(kIndent) + "\n";
}

}  // namespace verifier
