#include <chrono>

#include "base/certificate.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "csctl/commands/reference.h"
#include "csctl/input/input.h"
#include "csctl/screen/output_file.h"
#include "verifier/reference/draft.h"
#include "verifier/reference/publisher.h"
#include "verifier/tokens/secret_file.h"

namespace csctl {
namespace {

using base::InvalidInput;
using verifier::ReferenceDraft;

constexpr std::size_t kMaxKeyBytes = std::size_t{64} << 10U;

std::string read_document(const std::string& path) {
  return base::read_text_file(path, verifier::kMaxReferenceValuesBytes);
}

base::EvpPkeyPtr read_key(const std::string& file) {
  verifier::expect_secret(file);
  return base::parse_private_key(base::read_text_file(file, kMaxKeyBytes), file);
}

ExitCode write_and_tell(const ReferenceDraft& draft, const std::string& document, bool as_json, Screen& screen) {
  const verifier::ReferenceValues values = draft.values();
  const std::size_t count = values.size();
  write_output_file(document, base::view_of(draft.text()));
  // Its signature, wherever that is, is of what it was.
  const bool must_be_signed = !values.publications().empty();
  if (as_json) {
    screen.json({{"images", count}, {"must_be_signed", must_be_signed}});
    return ExitCode::kYes;
  }
  screen.line({document + " has " + std::to_string(count) + (count == 1 ? " image" : " images"), Tone::kGood});
  if (must_be_signed) {
    screen.line({"its signature is of what it was: sign it anew (csctl reference sign)", Tone::kStrong});
  }
  return ExitCode::kYes;
}

std::optional<base::WallTime> end_of(const ReferenceSignOptions& options, base::WallTime now) {
  constexpr std::uint64_t kMaxDays = 36500;
  if (options.days && (*options.days == 0 || *options.days > kMaxDays)) {
    throw InvalidInput("--days", "is not between 1 and " + std::to_string(kMaxDays));
  }
  if (options.days) return now + std::chrono::hours(24) * *options.days;
  if (options.expires.empty()) return std::nullopt;
  const auto time = base::parse_rfc3339(options.expires);
  if (!time) throw InvalidInput("--expires", "is no time such as 2026-01-31T23:59:59Z");
  return time;
}

}  // namespace

ExitCode add_reference(const ReferenceAddOptions& options, Screen& screen) {
  ReferenceDraft draft(options.document);
  if (is_there(options.document)) {
    draft = ReferenceDraft::parse(read_document(options.document), options.document);
  }
  for (const std::string& file : options.entries) {
    draft.add(read_text_input(file, verifier::kMaxReferenceValuesBytes), name_of_input(file));
  }
  return write_and_tell(draft, options.document, options.json, screen);
}

ExitCode deprecate_reference(const ReferenceDeprecateOptions& options, Screen& screen) {
  auto draft = ReferenceDraft::parse(read_document(options.document), options.document);
  bool is_changed = false;
  for (const std::string& name : options.names) is_changed |= draft.deprecate(name);
  if (is_changed) return write_and_tell(draft, options.document, options.json, screen);
  if (options.json) {
    screen.json({{"images", draft.values().size()}, {"must_be_signed", false}});
  } else {
    screen.line({"they are deprecated already", Tone::kGood});
  }
  return ExitCode::kYes;
}

ExitCode sign_reference(const ReferenceSignOptions& options, Screen& screen) {
  const base::WallTime now = base::Clock::system().wall();
  const base::EvpPkeyPtr key = read_key(options.key);
  auto draft = ReferenceDraft::parse(read_document(options.document), options.document);
  const verifier::Publication publication =
      draft.publish({.publisher = options.publisher, .version = options.version, .expires = end_of(options, now)}, now);
  draft.values();  // throws for what no service would take
  const std::string text = draft.text();
  const base::Bytes signature = verifier::sign_document(text, *key, options.key);
  expect_replaceable(signature_file_of(options.document));
  // In between a service that reads both sees that they are not of each other, and keeps what it has.
  write_output_file(options.document, base::view_of(text));
  write_output_file(signature_file_of(options.document), signature);
  if (options.json) {
    base::Json document = {{"publisher", publication.publisher}, {"version", publication.version}};
    if (publication.expires) document["expires"] = base::to_rfc3339(*publication.expires);
    screen.json(document);
    return ExitCode::kYes;
  }
  screen.line(
      {"version " + std::to_string(publication.version) + " of publisher " + publication.publisher +
           (publication.expires ? ", good until " + base::to_rfc3339(*publication.expires) : ", without an end"),
       Tone::kGood});
  return ExitCode::kYes;
}

}  // namespace csctl
