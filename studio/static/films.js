/** Which films of the list are shown, in which order. Pure. */

/** Orders an editor can choose from, the usual one first. */
export const ORDERS = [
  { id: "changed", title: "Last changed", compare: (a, b) => b.updated_at.localeCompare(a.updated_at) },
  { id: "name", title: "Name", compare: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true, sensitivity: "base" }) },
  { id: "longest", title: "Longest", compare: (a, b) => lengthOf(b) - lengthOf(a) },
  { id: "made", title: "Newest", compare: (a, b) => b.created_at.localeCompare(a.created_at) },
];

const lengthOf = ({ frames, rate: [numerator, denominator] }) => (frames * denominator) / numerator;

/** The films whose names hold every word of `wanted`, in an order. */
export function listed(projects, wanted, order) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const { compare } = ORDERS.find(({ id }) => id === order) ?? ORDERS[0];
  return projects.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word))).sort(compare);
}
