#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "csctl/commands/findings.h"
#include "csctl/commands/reference.h"
#include "csctl/input/input.h"
#include "csctl/input/time.h"
#include "csctl/reference/document_file.h"
#include "verifier/reference/doubts.h"
#include "verifier/reference/publisher.h"
#include "verifier/reference/reference_values.h"

namespace csctl {
namespace {

using verifier::Publication;

constexpr std::size_t kMaxKeysBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxSignatureBytes = 4096;

void expect_signature(const ReferenceVerifyOptions& options, const std::string& text, const Publication* publication) {
  if (publication == nullptr) throw base::InvalidInput(options.document, "does not say whose it is: no \"publisher\"");
  const verifier::Publisher publisher(publication->publisher, base::read_text_file(options.keys, kMaxKeysBytes),
                                      options.keys);
  const std::string file = options.signature.empty() ? signature_file_of(options.document) : options.signature;
  publisher.expect_signature(text, base::read_file(file, kMaxSignatureBytes), options.document);
}

}  // namespace

ExitCode verify_reference(const ReferenceVerifyOptions& options, Screen& screen) {
  const base::WallTime now = time_asked_for(options.at, "--at");
  const std::string text = read_text_input(options.document, verifier::kMaxReferenceValuesBytes);
  Findings findings;
  verifier::ReferenceValues values;
  findings.collect([&] { values.add_unproven(text, name_of_input(options.document)); });
  const Publication* publication = values.publications().empty() ? nullptr : values.publications().front().get();
  if (findings.errors.empty()) {
    findings.warnings = verifier::doubts_about(values, false);
    if (!options.keys.empty()) findings.collect([&] { expect_signature(options, text, publication); });
    if (publication != nullptr && publication->has_expired(now)) {
      findings.errors.push_back(name_of_input(options.document) + ": has expired at " +
                                base::to_rfc3339(*publication->expires));
    }
    if (publication != nullptr && options.keys.empty()) {
      findings.warnings.push_back(name_of_input(options.document) + ": nobody's signature was looked at: --keys");
    }
  }
  const bool is_good = findings.errors.empty();
  if (options.json) {
    base::Json document = findings.added_to({{"good", is_good}, {"images", values.size()}});
    document["publisher"] = publication != nullptr ? base::Json(publication->publisher) : base::Json(nullptr);
    document["signature_verified"] = is_good && !options.keys.empty();
    screen.json(document);
    return findings.exit_code();
  }
  std::string verdict = "no verifier takes it";
  if (is_good) {
    verdict = "a verifier takes it: " + std::to_string(values.size()) + (values.size() == 1 ? " image" : " images");
  }
  if (is_good && !options.keys.empty()) {
    verdict += ", version " + std::to_string(publication->version) + " of publisher " + publication->publisher;
  }
  findings.print(verdict, screen);
  return findings.exit_code();
}

}  // namespace csctl
