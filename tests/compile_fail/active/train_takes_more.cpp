// The function that trains gets labelled pictures and nothing else.
// expect: limn: active::run: train is called as train\(labelled\) and gives a network
#include "limn/active/loop.hpp"
#include "limn/active/uncertainty.hpp"
#include "limn/models/resnet.hpp"
using namespace limn;

using Net = models::ResNetSmall<Cpu, 1, 2>;

int main() {
  const data::Dataset all;
  const active::Pool pool(all);
  active::LabelTable oracle(all);
#ifdef BAD
  const auto train = [](const data::Dataset&, const data::Dataset&) { return Net{Seed{1}}; };
#else
  const auto train = [](const data::Dataset&) { return Net{Seed{1}}; };
#endif
  const auto measure = [](const Net&, const data::Dataset&) { return StudyValues{}; };
  return static_cast<int>(active::run(pool, oracle, {}, acquire::Entropy{}, train, measure).rounds.size());
}
