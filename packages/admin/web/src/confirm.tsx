/** Asks before something is done that cannot be undone. */
import { useEffect, useId, useRef } from 'preact/hooks';

export type ConfirmProps = Readonly<{
  title: string;
  text: string;
  /** The verb of the button that does it. */
  action: string;
  onConfirm: () => void;
  onCancel: () => void;
}>;

/** The browser's own modal dialogue: it keeps the focus, gives it back, and Escape closes it. */
export function Confirm({ title, text, action, onConfirm, onCancel }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    const own = dialog.current;
    own?.showModal();
    return () => {
      own?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} aria-describedby={`${id}-text`} onCancel={onCancel}>
      <h2 id={id}>{title}</h2>
      <p id={`${id}-text`}>{text}</p>
      <div class="actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="button danger" onClick={onConfirm}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
