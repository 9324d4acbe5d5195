#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "csctl/commands/findings.h"
#include "csctl/commands/reference.h"
#include "csctl/input/input.h"
#include "csctl/input/time.h"
#include "verifier/reference/doubts.h"
#include "verifier/reference/publisher.h"
#include "verifier/reference/reference_values.h"

namespace csctl {
namespace {

using verifier::Publication;

constexpr std::size_t kMaxKeysBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxSignatureBytes = 4096;

/// What the signature is checked with: what can't be read is no answer.
struct Proof {
  std::string keys_pem;
  base::Bytes signature;
};

std::optional<Proof> read_proof(const ReferenceVerifyOptions& options) {
  if (options.keys.empty()) return std::nullopt;
  const std::string file = options.signature.empty() ? signature_file_of(options.document) : options.signature;
  Proof proof{.keys_pem = base::read_text_file(options.keys, kMaxKeysBytes),
              .signature = base::read_file(file, kMaxSignatureBytes)};
  const verifier::Publisher can_be_read("any", proof.keys_pem, options.keys);
  return proof;
}

}  // namespace

ExitCode verify_reference(const ReferenceVerifyOptions& options, Screen& screen) {
  const base::WallTime now = time_asked_for(options.at, "--at");
  const std::optional<Proof> proof = read_proof(options);
  const std::string text = read_text_input(options.document, verifier::kMaxReferenceValuesBytes);
  const std::string subject = name_of_input(options.document);
  Findings findings;
  bool is_signed = false;
  verifier::ReferenceValues values;
  findings.collect([&] { values.add_unproven(text, subject); });
  const Publication* publication = values.publications().empty() ? nullptr : values.publications().front().get();
  if (findings.errors.empty()) {
    findings.warnings = verifier::doubts_about(values, false);
    if (proof) {
      findings.collect([&] {
        if (publication == nullptr) throw base::InvalidInput(subject, "does not say whose it is: no \"publisher\"");
        verifier::Publisher(publication->publisher, proof->keys_pem, options.keys)
            .expect_signature(text, proof->signature, subject);
      });
      is_signed = findings.errors.empty();
    }
    if (publication != nullptr && publication->has_expired(now)) {
      findings.errors.push_back(subject + ": has expired at " + base::to_rfc3339(*publication->expires));
    }
    if (publication != nullptr && !proof) {
      findings.warnings.push_back(subject + ": nobody's signature was looked at: --keys");
    }
  }
  const bool is_good = findings.errors.empty();
  if (options.json) {
    base::Json document = findings.added_to({{"good", is_good}, {"images", values.size()}});
    document["publisher"] = publication != nullptr ? base::Json(publication->publisher) : base::Json(nullptr);
    document["signature_verified"] = is_signed;
    screen.json(document);
    return findings.exit_code();
  }
  std::string verdict = "no verifier takes it";
  if (is_good) {
    verdict = "a verifier takes it: " + std::to_string(values.size()) + (values.size() == 1 ? " image" : " images");
  }
  if (is_good && is_signed) {
    verdict += ", version " + std::to_string(publication->version) + " of publisher " + publication->publisher;
  }
  findings.print(verdict, screen);
  return findings.exit_code();
}

}  // namespace csctl
