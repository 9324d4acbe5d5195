#pragma once

#include <string>
#include <string_view>

namespace oci {

/// For what an image is built (OCI image spec, image-index.md, "platform").
struct Platform {
  std::string os;
  std::string architecture;  ///< in Go's words: amd64, arm64
  std::string variant = {};  ///< v1 to v4 of amd64 (x86-64-ABI, "micro-architecture levels"), v8 of arm64; may be empty

  /// The platform this program runs on. The variant is the highest that the processor can run.
  static Platform host();

  /// In the words that containerd compares: letters' case and names such as x86_64 and aarch64 do not matter, no OS is
  /// Linux, and no variant is v1 of amd64 and v8 of arm64.
  Platform normalized() const;
  /// os/architecture
  std::string name() const { return os + "/" + architecture; }
};

/// The highest variant of amd64 that a processor with these flags can run ("flags" of /proc/cpuinfo).
std::string amd64_variant(const std::string& cpu_flags);

/// Whether an image for `wanted` is for machines like `machine`, leaving aside which variant. Both normalized.
bool is_same_kind(const Platform& wanted, const Platform& machine);

/// Whether an image for `wanted` uses what the processor of `machine` does not have. Both normalized; of a variant that
/// is not known this is false.
bool needs_more(const Platform& wanted, const Platform& machine);

/// How well an image for `wanted` suits `machine`; the highest is the one to take, 0 cannot be run. Both normalized.
/// The variant that every machine of its kind can run comes before all others, as containerd has it: so the same
/// reference gives the same image everywhere. Where there is none, the more of the processor an image uses, the better;
/// 386 on amd64 comes last.
int fitness(const Platform& wanted, const Platform& machine);

}  // namespace oci
