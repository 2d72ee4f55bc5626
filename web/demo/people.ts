/** The people one can be in the demo. */

export const people = [
  { id: "ada", name: "Ada" },
  { id: "ben", name: "Ben" },
  { id: "chloe", name: "Chloe" },
] as const;

export type Person = (typeof people)[number];

/** The person named in the address (`?user=ben`); Ada where it names none. */
export function personOf(search: string): Person {
  const id = new URLSearchParams(search).get("user");
  return people.find((person) => person.id === id) ?? people[0];
}
