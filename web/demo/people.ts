/** The people one can be in the demo. */

export const people = [
  { id: "ada", name: "Ada" },
  { id: "ben", name: "Ben" },
  { id: "chloe", name: "Chloe" },
] as const;

export type Person = (typeof people)[number];

/** The person named in the address (`?user=ben`); Ada where it names none. */
export function personOf(search: string): Person {
  return person(new URLSearchParams(search).get("user"));
}

/** The person of this id; Ada where nobody has it. */
export function person(id: string | null): Person {
  return people.find((known) => known.id === id) ?? people[0];
}
