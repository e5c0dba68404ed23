/** What memory strength did when the model was measured, in words. Pure. */

export const NOT_MEASURED = "0 reads nothing, 1 reads as it is, more holds on harder. How much that does was not measured for this model.";

const said = ({ figure, value, unit }) => `${figure} ${value}${unit ? ` ${unit}` : ""}`;

/** The effects measured at the strength nearest to `strength`, in one line. */
export function effectAt(effects, strength) {
  if (!effects?.length) return NOT_MEASURED;
  const near = effects.reduce((best, one) =>
    (Math.abs(one.strength - strength) < Math.abs(best.strength - strength) ? one : best));
  const here = effects.filter((one) => one.strength === near.strength);
  return `Measured at ${near.strength}: ${here.map(said).join(", ")}.`;
}

/** Everything that was measured, one strength a line. */
export function allEffects(effects) {
  if (!effects?.length) return NOT_MEASURED;
  const strengths = [...new Set(effects.map((one) => one.strength))].sort((a, b) => a - b);
  const lines = strengths.map((strength) =>
    `${strength}: ${effects.filter((one) => one.strength === strength).map(said).join(", ")}`);
  return ["Measured on this model, by strength:", ...lines].join("\n");
}
