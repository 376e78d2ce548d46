import asyncio
import websockets
import json
from anthropic import Anthropic

async def chat_with_claude(user_message: str, history: list = None):
    """
    Use AI Server's RAG with Anthropic Claude.
    
    Args:
        user_message: The user's question
        history: Previous conversation history (optional)
    
    Returns:
        str: Claude's response
    """
    client = Anthropic()  # Requires ANTHROPIC_API_KEY environment variable
    
    # Step 1: Get RAG context from AI Server
    async with websockets.connect('ws://localhost:8000/api/cloud-chat') as ws:
        while True:
            message = await ws.recv()
            data = json.loads(message)
            if "ready" in data['message'].lower():
                break
        
        await ws.send(json.dumps({
            "message": user_message,
            "history": history or []
        }))
        
        context_data = None
        async for message in ws:
            data = json.loads(message)
            if data['type'] == 'result':
                context_data = data['data']
                break
            elif data['type'] == 'error':
                raise Exception(f"RAG error: {data['message']}")
    
    # Step 2: Build system prompt with RAG context
    system_prompt = f"""{context_data['system_prompt']}

Here are relevant files from the user's collection:

{context_data['rag_context']}"""
    
    # Step 3: Build messages
    messages = []
    if history:
        messages.extend(history)
    
    messages.append({
        "role": "user",
        "content": user_message
    })
    
    # Step 4: Call Claude
    response = client.messages.create(
        model="claude-3-5-sonnet-20241022",
        max_tokens=1024,
        system=system_prompt,
        messages=messages
    )
    
    return response.content[0].text


# Usage example
async def main():
    response = await chat_with_claude("Describe my vacation photos from 2024")
    print(f"Claude: {response}")

asyncio.run(main())
