// What a session could not do, in one line for the rater.

/** `state`: what is so now, where the rater goes on there; `final`: nothing can be tried again;
 * `pictures`: the session answered, and pictures did not come. */
export class SessionError extends Error {
  constructor(message, { state = null, final = false, pictures = false } = {}) {
    super(message);
    this.state = state;
    this.final = final;
    this.pictures = pictures;
  }
}
