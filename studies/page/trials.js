// What one rater sees, one trial after the other: the same as studies/rater/trials.py, to the last item and side.

/** The trials of a rater: practice, then plain items and checks shuffled, repeats among the last.
 *
 * @param {{digest: string, repeats: number, items: string[][]}} design items are purpose, subject, style, pictures.
 * @param {string} code the rater's.
 * @returns {Promise<object[]>} number, purpose, subject, style, options from left to right, mirrored.
 */
export async function trialsOf(design, code) {
  const seed = `${design.digest}/${code}`;
  const flipped = oddFirstByte(await sha256(`${seed}/mirrored`));
  const items = await Promise.all(
    design.items.map(async ([purpose, subject, style, ...options], number) => {
      const rank = {};
      for (const what of ["side", "order", "repeat", "late"]) rank[what] = await sha256(`${seed}/${what}/${number}`);
      return { number, purpose, subject, style, options, rank };
    }),
  );
  const first = (item) => ({
    item,
    purpose: item.purpose,
    mirrored: item.purpose === "plain" ? flipped : oddFirstByte(item.rank.side),
  });

  const order = sorted(items.filter((item) => item.purpose !== "practice"), (item) => item.rank.order);
  const plain = order.filter((item) => item.purpose === "plain");
  const early = sorted(plain.slice(0, Math.floor(plain.length / 3)), (item) => item.rank.repeat);
  const again = new Set(early.slice(0, design.repeats));
  const middle = Math.floor((2 * order.length) / 3);
  const repeated = plain
    .filter((item) => again.has(item))
    .map((item) => ({ item, purpose: "repeat", mirrored: !flipped }));
  const late = sorted([...order.slice(middle).map(first), ...repeated], (showing) => showing.item.rank.late);
  const practice = items.filter((item) => item.purpose === "practice");

  return [...practice.map(first), ...order.slice(0, middle).map(first), ...late].map(
    ({ item, purpose, mirrored }, number) => ({
      number,
      purpose,
      mirrored,
      subject: item.subject,
      style: item.style,
      options: mirrored ? [...item.options].reverse() : item.options,
    }),
  );
}

/** The SHA-256 of a text in hexadecimal digits, which sort as its bytes do. */
async function sha256(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const oddFirstByte = (digest) => parseInt(digest.slice(0, 2), 16) % 2 === 1;

/** A sorted copy; equals keep their order. */
function sorted(values, key) {
  return [...values].sort((one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
}
