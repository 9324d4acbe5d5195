#include "launcher/plan/prediction.h"

#include "base/json.h"
#include "launcher/plan/launch_events.h"
#include "launcher/plan/process.h"
#include "launcher/plan/runtime_spec.h"
#include "launcher/policy/launch_policy.h"

namespace launcher {

std::vector<measure::Event> predict_launch(const Image& image, const LaunchSpec& spec, bool hardened,
                                           std::string_view hostname) {
  LaunchPolicy::parse(image.config.labels, image.config.exposed_ports).verify(spec, hardened);
  const ProcessSpec process = process_of(image.config, spec, hostname);
  const base::Json runtime_spec = build_runtime_spec(process, setup_of(spec, {}, {}));
  std::vector<measure::Event> events = launch_events(MeasuredLaunch::of(image, spec, runtime_spec));
  events.push_back(measure::Event::separator());
  return events;
}

}  // namespace launcher
