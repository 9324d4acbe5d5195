#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace base {

struct FilterResult {
  int exit_code = 0;  ///< or 128 plus the signal's number
  std::string output;
  std::string errors;
};

struct FilterLimits {
  std::chrono::seconds patience{10};
  std::size_t max_output_bytes = std::size_t{4} << 20U;  ///< of each of both
};

/// Runs a program that reads all of its standard input and writes its answer. `program` is an absolute path; it gets no
/// arguments, and no file descriptors but those three. Throws Error when there is no such program, when it takes too
/// long (it is killed then) or writes too much.
FilterResult run_filter(const std::filesystem::path& program, std::string_view input, FilterLimits limits = {});

}  // namespace base
