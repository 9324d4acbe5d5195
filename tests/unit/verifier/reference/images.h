#pragma once

#include <chrono>
#include <initializer_list>
#include <string>

#include "base/encoding.h"
#include "base/error.h"
#include "measure/digest.h"
#include "tests/unit/support/boot_log_writer.h"
#include "verifier/reference/reference_values.h"

/// Entries of reference values, and machines that they are or are not of.
namespace test::images {

using base::Json;
using measure::Digest;
using measure::HashAlgorithm;
using measure::PcrValues;
using verifier::BootState;
using verifier::ReferenceValues;
using verifier::TpmMachine;

inline constexpr base::WallTime kSomeTime{std::chrono::hours(500000)};
inline const std::string kPcr4(64, 'a');
inline const std::string kZeros(64, '0');
inline const std::string kImageDigest(64, 'b');
inline const std::string kRootHash(64, 'c');
inline const base::Bytes kCertificate = {0x30, 0x00};

inline Json entry() {
  return {{"name", "image"},     {"swversion", 260100},
          {"hardened", true},    {"support_attributes", {"STABLE", "USABLE"}},
          {"secure_boot", true}, {"pcrs", {{"sha256", {{"4", kPcr4}}}}}};
}

/// What an image build can say without having booted the image.
inline Json unbooted_entry() {
  return {{"name", "image"},
          {"swversion", 100},
          {"hardened", true},
          {"secure_boot", true},
          {"kernel_command_line", "quiet roothash=" + kRootHash},
          {"pcrs", {{"sha256", {{"12", kZeros}}}}},
          {"secure_boot_certificate_sha256", base::hex_encode(measure::hash(HashAlgorithm::kSha256, kCertificate))},
          {"unified_kernel_image_authenticode_sha256", kImageDigest},
          {"verity_root_hash", kRootHash}};
}

inline ReferenceValues parse(const Json& images) {
  return ReferenceValues::parse(Json{{"images", images}}.dump(), "values");
}

inline std::string refusal_of(const Json& image) {
  try {
    parse(Json::array({image}));
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

inline std::string refusal_with(const char* key, const Json& value) {
  Json image = entry();
  image[key] = value;
  return refusal_of(image);
}

inline std::string refusal_without(Json image, std::initializer_list<const char*> keys) {
  for (const char* key : keys) image.erase(key);
  return refusal_of(image);
}

inline std::string unbooted_refusal_with(const char* key, const Json& value) {
  Json image = unbooted_entry();
  image[key] = value;
  return refusal_of(image);
}

/// A register whose only event is a separator.
inline base::Bytes separated() {
  return Digest::zero(HashAlgorithm::kSha256)
      .extended(Digest::of(HashAlgorithm::kSha256, base::view_of(test::kSeparator)))
      .to_bytes();
}

inline TpmMachine machine() {
  TpmMachine appraisal;
  appraisal.boot.secure_boot = true;
  appraisal.boot.kernel_command_line = "quiet";
  appraisal.pcrs[HashAlgorithm::kSha256] = {{2, separated()},
                                            {4, base::Bytes(32, 0xaa)},
                                            {5, base::Bytes(32, 1)},
                                            {8, base::Bytes(32, 0)},
                                            {12, base::Bytes(32, 0)}};
  return appraisal;
}

/// A command line of ASCII as the kernel's EFI stub measures it.
inline base::Bytes load_options_digest(const std::string& command_line) {
  std::string units;
  for (const char c : command_line + '\0') units += {c, '\0'};
  return measure::hash(HashAlgorithm::kSha256, base::view_of(units));
}

inline TpmMachine unified_kernel_image_machine() {
  TpmMachine appraisal = machine();
  BootState& boot = appraisal.boot;
  boot.kernel_command_line.reset();
  boot.load_options_digest = load_options_digest("quiet roothash=" + kRootHash);
  boot.loaded_digests = {*boot.load_options_digest};
  boot.secure_boot_certificate = kCertificate;
  boot.boot_manager.only_application = base::Bytes(32, 0xbb);
  boot.boot_manager.applications = {base::Bytes(32, 0xbb)};
  return appraisal;
}

}  // namespace test::images
