// What a session could not do, in one line for the rater.

/** `state`: what is so now, where the rater goes on there; `final`: nothing can be done any more; `pictures`: the session
 * answered, and pictures did not come; `refused`: the same again would be refused again. */
export class SessionError extends Error {
  constructor(message, { state = null, final = false, pictures = false, refused = false } = {}) {
    super(message);
    Object.assign(this, { state, final, pictures, refused });
  }
}
