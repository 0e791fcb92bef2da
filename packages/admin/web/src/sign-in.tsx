import { useEffect, useRef, useState } from 'preact/hooks';
import { TextField, Trouble } from './parts.tsx';

export type SignInProps = Readonly<{ wasWrong: boolean; onToken: (token: string) => void }>;

export function SignIn({ wasWrong, onToken }: SignInProps) {
  const [token, setToken] = useState('');
  const form = useRef<HTMLFormElement>(null);
  // There is nothing else to do here; the form is another one after each token.
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form
      ref={form}
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        onToken(token.trim());
      }}
    >
      <p>
        This gateway shows itself to who has its token: what <code>admin.tokenFile</code> of its configuration holds.
      </p>
      {wasWrong ? (
        <Trouble
          problem={{
            kind: 'unauthorized',
            message: 'The gateway does not take this token. Is it the one of this gateway?',
          }}
        />
      ) : null}
      <TextField
        label="Token"
        type="password"
        value={token}
        onInput={setToken}
        required
        hint="Kept until this tab is closed, and sent to this gateway only."
      />
      <div class="actions">
        <button type="submit" class="button primary">
          Open the console
        </button>
      </div>
    </form>
  );
}
