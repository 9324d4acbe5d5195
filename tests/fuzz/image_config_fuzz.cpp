#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "launcher/plan/process.h"
#include "launcher/plan/runtime_spec.h"
#include "launcher/container/stop_signal.h"
#include "launcher/policy/exposed_ports.h"
#include "oci/descriptor.h"
#include "oci/image_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const oci::ImageConfig config = oci::parse_image_config(base::text_of({data, size}), oci::kOciConfig);
    launcher::ProcessSpec process;
    process.args = launcher::final_args(config, {});
    process.env = launcher::final_env(config, {}, "host");
    const base::Json spec = launcher::build_runtime_spec(process, {"/run/x", "/default/x"});
    // What is accepted can be written, and reads back as it was.
    const base::Json again = base::Json::parse(spec.dump());
    if (launcher::args_of(again) != process.args || launcher::env_of(again) != process.env) std::abort();
    const auto signal = launcher::parse_stop_signal(config.stop_signal);
    if (signal && (*signal < 1 || *signal > 64)) std::abort();
    launcher::Problems problems;
    const auto ports = launcher::read_exposed_ports(config.exposed_ports, problems);
    if (problems.empty() && ports.size() > firewall::kMaxPorts) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
